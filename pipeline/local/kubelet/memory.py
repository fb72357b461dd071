"""Holds a container to its memory limit, as a node's kernel does with the container's cgroup.

What counts is what the container's processes have for themselves (resident and not shared), asked once a
second: a process that grows faster than that is caught a little late.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

_POLL_S = 1.0
_PAGE_BYTES = os.sysconf("SC_PAGESIZE")
_PROC = Path("/proc")


async def exceed(pid: int, limit_bytes: int) -> None:
    """Return when the process and its children use more than `limit_bytes`; until then never."""
    while measure(pid) <= limit_bytes:  # noqa: ASYNC110 - nothing tells when memory grows
        await asyncio.sleep(_POLL_S)


def measure(pid: int) -> int:
    """Bytes of the process and all its children; 0 where nobody can tell."""
    return sum(map(_measure_one, _walk(pid)))


def _walk(pid: int) -> Iterator[int]:
    yield pid
    try:
        children = (_PROC / str(pid) / "task" / str(pid) / "children").read_text("ascii").split()
    except OSError:
        return
    for child in children:
        yield from _walk(int(child))


def _measure_one(pid: int) -> int:
    try:
        _, resident, shared, *_ = (_PROC / str(pid) / "statm").read_text("ascii").split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE_BYTES
