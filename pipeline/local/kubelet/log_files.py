"""Reads one log file of a container, and follows it for as long as the container writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from pipeline.local.kubelet.log_options import LogOptions, LogWriter, take_tail

_POLL_S = 0.1
_READ_BYTES = 1024 * 1024


async def read_log(path: Path, options: LogOptions, is_complete: Callable[[], bool]) -> AsyncIterator[bytes]:
    """What the log file `path` gives to who asks with `options`.

    `is_complete` says that nothing more will be written. Raises `OSError` if the file cannot be read.
    """
    writer = LogWriter(options)
    with path.open("rb") as file:
        lines = file.read().split(b"\n")
        rest = lines.pop()
        yield writer.write(take_tail(lines, options))
        while options.follow and not writer.is_done:
            was_complete = is_complete()
            *lines, rest = (rest + file.read(_READ_BYTES)).split(b"\n")
            if lines:
                yield writer.write(lines)
            elif was_complete:
                return
            else:
                await asyncio.sleep(_POLL_S)
