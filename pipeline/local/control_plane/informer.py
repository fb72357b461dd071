"""All objects of one collection, kept up to date: list once, then watch (Kubernetes, "API concepts")."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from http import HTTPStatus

from pipeline.local.control_plane.api import Api, ApiError, Object
from pipeline.local.errors import StackError

_RETRY_S = 0.5
_PAGE = {"limit": "500"}

OnChange = Callable[[Object], None]


class Informer:
    """The objects at `path`, as the API server has them.

    `on_change` is called with each object that is new or has changed, `on_gone` with the last known
    form of one that is no more. Both are called in the order of the changes and must not wait.

    Attributes:
        objects: by UID.
        synced: set once the collection has been listed and told.
    """

    def __init__(
        self,
        api: Api,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        on_change: OnChange = lambda _: None,
        on_gone: OnChange = lambda _: None,
    ) -> None:
        self.objects: dict[str, Object] = {}
        self.synced = asyncio.Event()
        self._api = api
        self._path = path
        self._query = dict(query or {})
        self._on_change = on_change
        self._on_gone = on_gone

    async def run(self) -> None:
        """Follow the collection until cancelled, across lost connections and a compacted history."""
        version = ""
        while True:
            try:
                version = version or await self._list()
                version = await self._watch(version)
            except ApiError as error:
                version = "" if error.status == HTTPStatus.GONE else version
                await asyncio.sleep(0 if error.status == HTTPStatus.GONE else _RETRY_S)
            except StackError:
                await asyncio.sleep(_RETRY_S)

    async def _list(self) -> str:
        """Take over what there is; the version to watch from."""
        found, version = await self._read_pages()
        for gone in self.objects.keys() - found.keys():
            self._forget(self.objects[gone])
        for item in found.values():
            self._learn(item)
        self.synced.set()
        return version

    async def _read_pages(self) -> tuple[dict[str, Object], str]:
        found: dict[str, Object] = {}
        more: dict[str, str] = {}
        while True:
            page = await self._api.get(self._path, **self._query, **_PAGE, **more)
            found |= {item["metadata"]["uid"]: item for item in page["items"]}
            if not page["metadata"].get("continue"):
                return found, page["metadata"]["resourceVersion"]
            more = {"continue": page["metadata"]["continue"]}

    async def _watch(self, version: str) -> str:
        """Take in what changes after `version`, until the server closes; the version reached."""
        query = self._query | {"watch": "true", "resourceVersion": version, "allowWatchBookmarks": "true"}
        async for line in _split_lines(self._api.stream(self._path, query)):
            event = json.loads(line)
            item = event["object"]
            match event["type"]:
                case "ADDED" | "MODIFIED":
                    self._learn(item)
                case "DELETED":
                    self._forget(item)
                case "ERROR":
                    raise ApiError(item.get("code", 0), item.get("message", ""))
            version = item["metadata"]["resourceVersion"]
        return version

    def _learn(self, item: Object) -> None:
        uid = item["metadata"]["uid"]
        known = self.objects.get(uid)
        self.objects[uid] = item
        if known is None or known["metadata"]["resourceVersion"] != item["metadata"]["resourceVersion"]:
            self._on_change(item)

    def _forget(self, item: Object) -> None:
        if self.objects.pop(item["metadata"]["uid"], None) is not None:
            self._on_gone(item)


async def _split_lines(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    rest = b""
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            yield line
