"""Pages of entries, within the quota, with an account of what came."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from google.api_core import exceptions
from google.auth.exceptions import GoogleAuthError
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.types import ListLogEntriesResponse

from diag.errors import SourceError
from diag.model.catalogue import Catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.progress import Progress, ignore
from diag.model.queries import LogQuery
from diag.model.records import LogRecord
from diag.model.settings import ClusterSettings, LoggingSettings
from diag.model.window import Window
from diag.sources.cloud_logging import client as connection
from diag.sources.cloud_logging.budget import RequestBudget
from diag.sources.cloud_logging.entries import to_json_form
from diag.sources.cloud_logging.filters import build_filters
from diag.sources.cloud_logging.patience import find_wait

SLUG = "cloud-logging"
PAGE_SIZE = 1000
"""The most that the service gives at once."""

_KEPT = "what had been read before was taken from the cache; --no-cache reads it anew"

Batch = tuple[LogRecord, ...]


class CloudLogging:
    """One project's entries. Implements `diag.model.queries.LastingSource`."""

    def __init__(
        self,
        settings: LoggingSettings,
        cluster: ClusterSettings,
        catalogue: Catalogue,
        progress: Progress = ignore,
    ) -> None:
        self._settings = settings
        self._cluster = cluster
        self._catalogue = catalogue
        self._progress = progress
        self._budget = RequestBudget(settings.quota)
        self._client: LoggingServiceV2Client | None = None
        self._window: Window | None = None
        self._entries = 0
        self._problems: list[str] = []
        self._notes: list[str] = []
        self._failed = False
        self._kept = 0
        self._cuts = 0
        self._whole: set[LogQuery] = set()

    async def read(self, query: LogQuery) -> AsyncIterator[Batch]:
        """The entries of `query`; a failure ends the iteration and stands in the coverage."""
        self._widen(query.window)
        self._whole.discard(query)
        if self._failed:
            return  # what was refused once is not asked again in the same run
        cuts = self._cuts
        try:
            for text in self.filters(query):
                async for batch in self._read_filter(text, query):
                    yield batch
        except SourceError as error:
            self._failed = True
            self._problems.append(f"{error}; {error.hint}" if error.hint else str(error))
        else:
            if self._cuts == cuts:
                self._whole.add(query)

    def identify(self, query: LogQuery) -> str:
        """Endpoint, project and filters, as they would be for no window at all."""
        timeless = self.filters(replace(query, window=Window(0, 0)))
        return "\n\n".join((self._settings.endpoint, self._settings.project, *timeless))

    def gave_all(self, query: LogQuery) -> bool:
        """Whether every page of `query` was read."""
        return query in self._whole

    def credit(self, window: Window, entries: int) -> None:
        """Count what an earlier run had read of `window`."""
        self._widen(window)
        self._kept += entries
        self._entries += entries
        self.note(_KEPT)

    def note(self, text: str) -> None:
        """Say it in the coverage, once."""
        self._notes.append(text)

    def _widen(self, window: Window) -> None:
        self._window = window if self._window is None else self._window.union(window)

    def filters(self, query: LogQuery) -> tuple[str, ...]:
        """What the service gets for `query`, as it gets it."""
        return build_filters(query, self._cluster, self._settings.project, self._catalogue)

    def most_pages(self, query: LogQuery) -> int:
        """Requests that each filter of `query` may take."""
        return query.max_pages or self._settings.max_pages

    @property
    def where(self) -> str:
        """Project, location, cluster and namespace, as far as they are named."""
        cluster = self._cluster
        parts = (self._settings.project, cluster.location, cluster.name, cluster.namespace)
        return "/".join(part for part in parts if part)

    def coverage(self) -> SourceCoverage:
        """What was asked and what came."""
        state = State.COMPLETE
        if self._failed:
            state = State.PARTIAL if self._entries else State.FAILED
        elif self._problems:
            state = State.PARTIAL
        return SourceCoverage(
            source=SLUG,
            state=state,
            asked=f"{self.where}, {self._window.to_text()}" if self._window else self.where,
            got=f"{self._budget.total} requests" + (f", {self._kept} from the cache" if self._kept else ""),
            entries=self._entries,
            notes=tuple(dict.fromkeys((*self._problems, *self._notes))),
            requests=self._budget.total,
        )

    async def _read_filter(self, text: str, query: LogQuery) -> AsyncIterator[Batch]:
        token, most = "", self.most_pages(query)
        for number in range(1, most + 1):
            self._progress(f"reading Cloud Logging: {query.what or 'entries'}, page {number}")
            page = await self._fetch(text, token)
            batch = tuple(LogRecord(to_json_form(entry), source=SLUG) for entry in page.entries)
            self._entries += len(batch)
            if batch:
                yield batch
            token = page.next_page_token
            # An empty page with a token means that the service ran out of time, not of entries.
            if not token:
                return
        self._cuts += 1
        told = f"{query.what or 'query'}: more than {most} pages; the rest was not read"
        # a query that may spend only so much asks for what helps, not for what a verdict stands on
        (self._notes if query.max_pages else self._problems).append(told)

    async def _fetch(self, text: str, token: str) -> Any:
        """One page as a raw message; raises `SourceError` once patience is spent."""
        refusals = Counter[type[Exception]]()
        while True:
            await self._wait_for_budget()
            try:
                return await asyncio.to_thread(self._request, text, token)
            except (exceptions.GoogleAPICallError, GoogleAuthError) as error:
                refusals[type(error)] += 1
                wait_s = find_wait(error, refusals[type(error)])
                if wait_s is None:
                    raise connection.explain(error, self._settings) from error
                await self._bear(error, wait_s)
            except asyncio.CancelledError:
                self._hang_up()
                raise

    async def _bear(self, error: Exception, wait_s: float) -> None:
        if isinstance(error, exceptions.TooManyRequests):
            self._progress("Cloud Logging's read quota is spent by others; waiting")
        if isinstance(error, exceptions.Unauthenticated):
            self._hang_up()
            self._client = None  # the next one asks for a new token
        await asyncio.sleep(wait_s)

    def _hang_up(self) -> None:
        """End a request that still runs in its thread: the process would wait for it."""
        if self._client is not None:
            self._client.transport.close()  # type: ignore[no-untyped-call]  # the library has no types

    async def _wait_for_budget(self) -> None:
        while (wait_s := self._budget.wait_s(time.monotonic())) > 0:
            self._progress(f"waiting {wait_s:.0f} s: {self._settings.quota} read requests a minute are spent")
            await asyncio.sleep(wait_s)
        self._budget.spend(time.monotonic())

    def _request(self, text: str, token: str) -> Any:
        if self._client is None:
            self._client = connection.connect(self._settings)
        request = {
            "resource_names": [f"projects/{self._settings.project}"],
            "filter": text,
            "order_by": "timestamp asc",
            "page_size": PAGE_SIZE,
            "page_token": token,
        }
        pager = self._client.list_log_entries(request=request, retry=None, timeout=connection.TIMEOUT_S)
        return ListLogEntriesResponse.pb(next(iter(pager.pages)))
