"""A collection is known as the server has it, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any

from pipeline.local.control_plane.api import ApiError
from pipeline.local.control_plane.informer import Informer
from pipeline.local.errors import StackError


def item(uid: str, version: int) -> dict[str, Any]:
    return {"metadata": {"uid": uid, "resourceVersion": str(version)}}


class ScriptedApi:
    """Answers lists and watches one after the other; a watch is what it sends, or how it fails."""

    def __init__(
        self, lists: list[list[dict[str, Any]]], watches: list[list[tuple[str, Any]] | StackError]
    ) -> None:
        self.asked: list[str] = []
        self.is_over = asyncio.Event()
        self._lists = lists
        self._watches = watches

    async def get(self, _path: str, **query: str) -> dict[str, Any]:
        self.asked.append(f"list {query.get('continue', '')}".strip())
        return {"items": self._lists.pop(0), "metadata": {"resourceVersion": "10"}}

    async def stream(self, _path: str, query: Mapping[str, str]) -> AsyncIterator[bytes]:
        self.asked.append(f"watch {query['resourceVersion']}")
        if not self._watches:
            self.is_over.set()
            await asyncio.Future()
        watch = self._watches.pop(0)
        if isinstance(watch, StackError):
            raise watch
        text = b"".join(json.dumps({"type": kind, "object": found}).encode() + b"\n" for kind, found in watch)
        yield text[:7]
        yield text[7:]


async def follow(api: ScriptedApi) -> list[str]:
    """What an informer tells until the script is over."""
    told: list[str] = []
    informer = Informer(
        api,  # type: ignore[arg-type]
        "/things",
        on_change=lambda one: told.append(f"+{one['metadata']['uid']}{one['metadata']['resourceVersion']}"),
        on_gone=lambda one: told.append(f"-{one['metadata']['uid']}"),
    )
    running = asyncio.create_task(informer.run())
    await asyncio.wait_for(api.is_over.wait(), 30)
    running.cancel()
    assert informer.synced.is_set()
    return told


async def test_what_is_there_is_told_and_then_what_changes() -> None:
    """A watch that ends is taken up where it was; a bookmark moves that on."""
    changes = [("ADDED", item("b", 11)), ("MODIFIED", item("a", 12)), ("DELETED", item("b", 13))]
    api = ScriptedApi([[item("a", 1)]], [[*changes, ("BOOKMARK", item("", 20))]])

    assert await follow(api) == ["+a1", "+b11", "+a12", "-b"]
    assert api.asked == ["list", "watch 10", "watch 20"]


async def test_a_history_that_is_gone_is_listed_anew() -> None:
    """410, as an answer or within the watch: what vanished meanwhile is told, what is the same is not."""
    gone = {"code": 410, "message": "too old resource version", "metadata": {}}
    api = ScriptedApi(
        [[item("a", 1), item("b", 1)], [item("b", 1)], [item("b", 2)]], [[("ERROR", gone)], ApiError(410, "")]
    )

    assert await follow(api) == ["+a1", "+b1", "-a", "+b2"]
    assert api.asked == ["list", "watch 10"] * 3


async def test_a_lost_connection_is_taken_up_again() -> None:
    """From the version that was reached."""
    api = ScriptedApi([[]], [[("ADDED", item("a", 11))], StackError("no answer")])

    assert await follow(api) == ["+a11"]
    assert api.asked == ["list", "watch 10", "watch 11", "watch 11"]
