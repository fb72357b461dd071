"""The API server as the stack asks it: a few requests, in JSON, without a client library's weight."""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from pipeline.local.errors import StackError

Object = dict[str, Any]
"""One Kubernetes object in its JSON form."""

FIELD_MANAGER = "pipeline"
_TIMEOUT = aiohttp.ClientTimeout(total=30)


class ApiError(StackError):
    """The API server has refused: `status` is the HTTP code, the text is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Api:
    """One user's access, as an asynchronous context."""

    def __init__(self, kubeconfig: Path) -> None:
        config = json.loads(kubeconfig.read_text("utf-8"))
        cluster = config["clusters"][0]["cluster"]
        self._server: str = cluster["server"]
        self._authority: str = cluster["certificate-authority"]
        self._token: str = config["users"][0]["user"]["token"]
        self._resources: dict[str, dict[str, Object]] = {}

    async def __aenter__(self) -> Self:
        context = ssl.create_default_context(cafile=self._authority)
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=context),
            headers={"Authorization": f"Bearer {self._token}"},
            timeout=_TIMEOUT,
        )
        return self

    async def __aexit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        await self._session.close()

    async def answers_ok(self, path: str, server: str | None = None) -> bool:
        """Whether ``GET path`` of the API server, or of another `server` of the cluster, answers 200."""
        try:
            async with self._session.get(f"{server or self._server}{path}") as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def get(self, path: str, **query: str) -> Object:
        """The object or list at `path`, like ``/api/v1/nodes``; raises `ApiError`."""
        return await self.request("GET", path, query=query)

    async def apply(self, item: Object, *, dry_run: bool = False) -> Object:
        """Server-side apply of one object; the object as it is now. Raises `ApiError`."""
        path = f"{await self._find_collection(item)}/{item['metadata']['name']}"
        query = {"fieldManager": FIELD_MANAGER, "force": "true"} | ({"dryRun": "All"} if dry_run else {})
        return await self.request("PATCH", path, item, "application/apply-patch+yaml", query)

    async def request(
        self,
        method: str,
        path: str,
        body: object = None,
        content_type: str = "application/json",
        query: Mapping[str, str] | None = None,
    ) -> Object:
        """One request and the object that it is answered with.

        Raises:
            ApiError: the API server refuses it.
            StackError: there is no answer.
        """
        data = None if body is None else json.dumps(body).encode()
        try:
            async with self._session.request(
                method,
                f"{self._server}{path}",
                data=data,
                params=query,
                headers={"Content-Type": content_type},
            ) as answer:
                found = await _read_json(answer)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StackError(f"the API server does not answer: {error}") from error
        if answer.status >= 400:
            raise _refusal(answer, found)
        return dict(found)

    async def stream(self, path: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        """What comes of ``GET path``, piece by piece, until the server ends it; for a watch, lines of JSON.

        Raises:
            ApiError: the API server refuses it.
            StackError: there is no answer, or it breaks off.
        """
        endless = aiohttp.ClientTimeout(total=None, sock_connect=_TIMEOUT.total)
        try:
            async with self._session.get(f"{self._server}{path}", params=query, timeout=endless) as answer:
                if answer.status >= 400:
                    raise _refusal(answer, await _read_json(answer))
                async for piece in answer.content.iter_any():
                    yield piece
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StackError(f"the API server does not answer: {error}") from error

    async def _find_collection(self, item: Object) -> str:
        """The path of the collection of an object's kind, as discovery tells it."""
        version, kind = item["apiVersion"], item["kind"]
        root = f"/apis/{version}" if "/" in version else f"/api/{version}"
        if version not in self._resources:
            found = await self.get(root)
            self._resources[version] = {
                resource["kind"]: resource for resource in found["resources"] if "/" not in resource["name"]
            }
        resource = self._resources[version].get(kind)
        if resource is None:
            raise StackError(f"the cluster knows no {kind} in {version}")
        if not resource["namespaced"]:
            return f"{root}/{resource['name']}"
        return f"{root}/namespaces/{item['metadata']['namespace']}/{resource['name']}"


async def _read_json(answer: aiohttp.ClientResponse) -> Object:
    """Empty where the server is too busy for its own form: it refuses with 429 and a line of text then."""
    try:
        found: Object = await answer.json(content_type=None)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refusal(answer: aiohttp.ClientResponse, status: Object) -> ApiError:
    return ApiError(answer.status, status.get("message") or answer.reason or "refused")
