"""Where the work of many sessions is done: in this process, or in some side by side."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from typing import TypeVar

from diag.errors import ExitCode, SourceError

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


class Workers:
    """Runs one function on many jobs; results come in the order of the jobs."""

    def __init__(self, pool: ProcessPoolExecutor | None) -> None:
        self._pool = pool

    async def each(
        self, function: Callable[[_Job], _Result], jobs: Iterable[_Job]
    ) -> AsyncGenerator[_Result, None]:
        """The result of each job; raises `SourceError` where a process was killed from outside."""
        if self._pool is None:
            for job in jobs:
                yield function(job)
                await asyncio.sleep(0)  # an interrupt comes in between
            return
        futures = [asyncio.wrap_future(self._pool.submit(function, job)) for job in jobs]
        try:
            for future in futures:
                yield await future
        except BrokenProcessPool as error:
            raise SourceError(
                "a process that read was killed, perhaps for want of memory",
                hint="lower work.memory_mb or work.processes",
            ) from error
        finally:
            for future in futures:
                future.cancel()


@asynccontextmanager
async def open_workers(processes: int) -> AsyncIterator[Workers]:
    """`processes` side by side; 1: the work is done here. They end with the block, however it ends."""
    if processes <= 1:
        yield Workers(None)
        return
    # spawned, not forked: the libraries below have threads of their own
    pool = ProcessPoolExecutor(
        processes, multiprocessing.get_context("spawn"), initializer=_depend_on_the_parent
    )
    try:
        yield Workers(pool)
    except BaseException:
        # a part that is being read would be waited for
        for process in list((pool._processes or {}).values()):  # noqa: SLF001  3.14 has kill_workers()
            process.kill()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _depend_on_the_parent() -> None:
    """Interrupts are the parent's matter, and without it there is no work."""
    gc.set_threshold(200_000)  # millions of values are made here, and they have no cycles
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_parent, daemon=True).start()


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(ExitCode.INTERRUPTED)


def count_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
