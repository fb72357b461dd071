"""One run of a container: a process of its own, and the CRI log file that has its output."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import IO, Self

from pipeline.local.cri import Piece, PieceSplitter, format_line
from pipeline.local.processes import kill_group, launch, output_pipe, stop

_READ_BYTES = 64 * 1024
_DRAIN_S = 1.0
_LAST_LINE_BYTES = 300


class Run:
    """A process from its start to the last line of its log.

    Attributes:
        last_line: the last line that it has written, cut to what fits an error message; empty
            before the first.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: IO[bytes], held: AsyncExitStack) -> None:
        self.last_line = ""
        self._process = process
        self._log = log
        self._held = held
        self._copies: list[asyncio.Task[None]] = []
        self._life = asyncio.create_task(self._finish())

    @classmethod
    async def start(cls, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> Self:
        """Start `argv`; its output is appended to the file `log`. Raises `OSError`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        async with AsyncExitStack() as held:
            file = held.enter_context(log.open("ab", buffering=0))
            stdout, stdout_end = await held.enter_async_context(output_pipe())
            stderr, stderr_end = await held.enter_async_context(output_pipe())
            process = await launch(argv, environment, stdout=stdout_end, stderr=stderr_end)
            stdout_end.close()
            stderr_end.close()
            run = cls(process, file, held.pop_all())
        run._copies = [
            asyncio.create_task(run._copy(stdout, "stdout")),
            asyncio.create_task(run._copy(stderr, "stderr")),
        ]
        return run

    @property
    def pid(self) -> int:
        """The process ID."""
        return self._process.pid

    async def wait_exit(self) -> int:
        """The exit code, as soon as the process has ended; nothing it has started is left."""
        exit_code = await self._process.wait()
        kill_group(self._process)
        return exit_code

    async def wait(self) -> int:
        """The exit code, when the log is complete, too. Whoever waits may be cancelled."""
        return await asyncio.shield(self._life)

    async def stop(self, grace_s: float) -> int:
        """SIGTERM, after `grace_s` seconds SIGKILL; the exit code."""
        return await stop(self._process, grace_s)

    def kill(self) -> None:
        """End it without grace."""
        kill_group(self._process)

    async def _finish(self) -> int:
        async with self._held:
            exit_code = await self.wait_exit()
            _, late = await asyncio.wait(self._copies, timeout=_DRAIN_S)
            for copy in late:
                copy.cancel()
        return exit_code

    async def _copy(self, pipe: asyncio.StreamReader, stream: str) -> None:
        splitter = PieceSplitter()
        while data := await pipe.read(_READ_BYTES):
            self._write(stream, splitter.feed(data))
        self._write(stream, splitter.finish())

    def _write(self, stream: str, pieces: list[Piece]) -> None:
        """Append the pieces in one write, each with the time of its arrival."""
        self._log.write(b"".join(format_line(time.time_ns(), stream, piece) for piece in pieces))
        said = [piece.content for piece in pieces if piece.content.strip()]
        if said:
            self.last_line = said[-1][:_LAST_LINE_BYTES].decode("utf-8", "replace").strip()
