"""One request at a time or several side by side: within the budget, and again where that may help."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client

from diag.errors import NotAllowedError
from diag.model.log_resources import LogResource
from diag.model.progress import Progress
from diag.model.settings import LoggingSettings
from diag.sources.cloud_logging import client as connection
from diag.sources.cloud_logging.budget import RequestBudget
from diag.sources.cloud_logging.patience import find_wait
from diag.sources.cloud_logging.reach import Reach
from diag.sources.cloud_logging.slices import MOST_SLICES

PAGE_SIZE = 1000
"""The most that the service gives at once."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What one request asks for."""

    resources: tuple[LogResource, ...]
    text: str
    token: str = ""
    size: int = PAGE_SIZE


class Asker:
    """The only one who sends requests for pages, so that all of them are counted in one place."""

    def __init__(self, settings: LoggingSettings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._budget = RequestBudget(settings.quota)
        self._reach = Reach(settings.resources)
        self._trying = asyncio.Lock()
        self._client: LoggingServiceV2Client | None = None
        self._connecting = threading.Lock()
        self._threads = ThreadPoolExecutor(MOST_SLICES, thread_name_prefix="cloud-logging")

    @property
    def requests(self) -> int:
        """How many were sent, those that were refused included."""
        return self._budget.total

    @property
    def problems(self) -> tuple[str, ...]:
        """The projects that were asked for and can not be read, each with the reason."""
        return self._reach.problems

    async def fetch(self, text: str, token: str) -> Any:
        """One `Page` of a filter; raises `SourceError` once patience is spent.

        It is a page of all projects that can be read: where one is refused the others are asked without it.
        """
        tried = False
        while True:
            asked = self._reach.ask_with(token)
            try:
                page = await self._persist(_Question(asked, text, token))
            except NotAllowedError:
                if tried or token or len(asked) == 1:
                    raise
                tried = True
                if not await self._drop_refused(asked, text):
                    raise
            else:
                self._reach.take(page.next_page_token, asked)
                return page

    async def _drop_refused(self, asked: tuple[LogResource, ...], text: str) -> bool:
        """Ask each by itself, and no more for those that are refused; whether any is left."""
        async with self._trying:  # others that were refused meanwhile profit from what one finds out
            if self._reach.readable == asked:
                for one in asked:
                    try:
                        await self._persist(_Question((one,), text, size=1))
                    except NotAllowedError as error:
                        self._reach.refuse(one, error)
        return bool(self._reach.readable)

    async def _persist(self, asked: _Question) -> Any:
        """A `Page`, asked for again where that may help."""
        refusals = Counter[type[Exception]]()
        while True:
            await self._wait_for_budget()
            try:
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._request, asked)
            except (exceptions.GoogleAPICallError, GoogleAuthError) as error:
                refusals[type(error)] += 1
                wait_s = find_wait(error, refusals[type(error)])
                if wait_s is None:
                    raise connection.explain(error, self._settings, asked.resources) from error
                await self._bear(error, wait_s)
            except asyncio.CancelledError:
                self._hang_up()
                raise

    async def _bear(self, error: Exception, wait_s: float) -> None:
        if isinstance(error, exceptions.TooManyRequests):
            self._progress("Cloud Logging's read quota is spent by others; waiting")
        if isinstance(error, exceptions.Unauthenticated):
            self._client = None  # the next one asks for a new token; what is under way goes on
        await asyncio.sleep(wait_s)

    def _hang_up(self) -> None:
        """End the requests that still run in their threads: the process would wait for them."""
        if self._client is not None:
            self._client.transport.close()  # type: ignore[no-untyped-call]  # the library has no types

    async def _wait_for_budget(self) -> None:
        while (wait_s := self._budget.wait_s(time.monotonic())) > 0:
            self._progress(f"waiting {wait_s:.0f} s: {self._settings.quota} read requests a minute are spent")
            await asyncio.sleep(wait_s)
        self._budget.spend(time.monotonic())

    def _request(self, asked: _Question) -> Any:
        request = {
            "resource_names": [one.name for one in asked.resources],
            "filter": asked.text,
            "order_by": "timestamp asc",
            "page_size": asked.size,
            "page_token": asked.token,
        }
        pager = self._connect().list_log_entries(request=request, retry=None, timeout=connection.TIMEOUT_S)
        return next(iter(pager.pages))

    def _connect(self) -> LoggingServiceV2Client:
        with self._connecting:
            if self._client is None:
                self._client = connection.connect(self._settings)
            return self._client
