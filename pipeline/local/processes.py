"""Child processes: started so that they cannot outlive this one, ended so that nothing is left."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import IO, Self

from pipeline.wire.process import bound_command

REPOSITORY = Path(__file__).resolve().parents[2]
_PASSED_ON = ("PATH", "HOME", "LANG", "JAVA_HOME", "LD_LIBRARY_PATH")
_TAIL_BYTES = 16 * 1024


def base_environment(temporary: Path) -> dict[str, str]:
    """What every process of the stack gets, whatever the shell of its user looks like."""
    passed_on = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return {
        **passed_on,
        "PYTHONPATH": str(REPOSITORY),
        "PYTHONUNBUFFERED": "1",
        "TMPDIR": str(temporary),
    }


async def launch(
    argv: Sequence[str], environment: Mapping[str, str], *, stdout: IO[bytes] | int, stderr: IO[bytes] | int
) -> asyncio.subprocess.Process:
    """Start `argv` in a session of its own: a Ctrl-C reaches it through this process only.

    It never outlives this process, however that ends.
    """
    return await asyncio.create_subprocess_exec(
        *bound_command(argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        start_new_session=True,
    )


async def run(argv: Sequence[str], *, capture: bool = False, quiet: bool = False) -> tuple[int, str, str]:
    """Run a program in the user's terminal and environment; its exit code, stdout and stderr.

    Its stdout is the user's unless `capture`, its stderr unless `quiet`; what is the user's is not in
    the result. It ends when the caller is cancelled.
    """
    process = await asyncio.create_subprocess_exec(
        *bound_command(argv),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE if capture else None,
        stderr=asyncio.subprocess.PIPE if quiet else None,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )
    try:
        stdout, stderr = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return (
        await process.wait(),
        (stdout or b"").decode("utf-8", "replace"),
        (stderr or b"").decode("utf-8", "replace"),
    )


@asynccontextmanager
async def output_pipe() -> AsyncIterator[tuple[asyncio.StreamReader, IO[bytes]]]:
    """A pipe for the output of one child: what it writes, and the end to hand to it and then close.

    Not ``subprocess.PIPE``, with which ``wait()`` may wait for every holder of the pipe and not for
    the process only (CPython issue 119710).
    """
    read_end, write_end = (os.fdopen(end, mode, 0) for end, mode in zip(os.pipe(), ("rb", "wb"), strict=True))
    reader = asyncio.StreamReader()
    with write_end:
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), read_end
        )
        try:
            yield reader, write_end
        finally:
            transport.close()


async def stop(process: asyncio.subprocess.Process, grace_s: float) -> int:
    """SIGTERM, then after `grace_s` seconds SIGKILL; the exit code. No process of its group is left."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
    try:
        await asyncio.wait_for(process.wait(), grace_s)
    except TimeoutError:
        pass
    finally:
        kill_group(process)
    return await process.wait()


def kill_group(process: asyncio.subprocess.Process) -> None:
    """SIGKILL to the process and whatever it has started in its session, and to nobody else.

    The kernel gives a number to nobody while a process or a group has it. So once the process has been
    waited for, its number names what is left of its group, unless a process has it: then the group was
    empty, and the number is a stranger's.
    """
    if process.returncode is not None and Path(f"/proc/{process.pid}").exists():
        return
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class Daemon:
    """One part of the stack that is no pod: a process with one log file."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, name: str, argv: Sequence[str], environment: Mapping[str, str], log: Path) -> Self:
        """Start `argv`; its output goes to the file `log`, which begins anew."""
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("wb") as output:
            process = await launch(argv, environment, stdout=output, stderr=asyncio.subprocess.STDOUT)
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """Its process ID."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Its exit code, once it has ended."""
        return await self._process.wait()

    async def stop(self, grace_s: float) -> None:
        """SIGTERM, after `grace_s` seconds SIGKILL."""
        await stop(self._process, grace_s)

    def kill(self) -> None:
        """End it at once."""
        kill_group(self._process)

    def tail(self) -> list[str]:
        """The last lines of its log that say something."""
        try:
            with self._log.open("rb") as log:
                log.seek(max(0, self._log.stat().st_size - _TAIL_BYTES))
                text = log.read().decode("utf-8", "replace")
        except OSError:
            return []
        return [line.strip() for line in text.splitlines() if line.strip()]

    def last_line(self) -> str:
        """The last line of its log, for an error message."""
        return (self.tail() or ["no output"])[-1]
