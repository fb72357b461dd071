"""Where the work of many sessions is done: in this process, or in some side by side."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import util
from typing import TypeVar

from diag.errors import ExitCode, SourceError

_Job = TypeVar("_Job")
_Result = TypeVar("_Result")


class Workers:
    """Runs one function on many jobs; results come in the order of the jobs. 1 process: it is done here."""

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._pool: ProcessPoolExecutor | None = None

    async def each(
        self, function: Callable[[_Job], _Result], jobs: Iterable[_Job]
    ) -> AsyncGenerator[_Result, None]:
        """The result of each job; raises `SourceError` where a process was killed from outside.

        Where it is closed before its end, what is still being done is broken off.
        """
        if self._processes <= 1:
            for job in jobs:
                yield function(job)
                await asyncio.sleep(0)  # an interrupt comes in between
            return
        futures = [asyncio.wrap_future(one) for one in self._submit(function, jobs)]
        try:
            for future in futures:
                yield await future
                await asyncio.sleep(0)  # what is done already is no pause for an interrupt either
        except BrokenProcessPool as error:
            raise SourceError(
                "a process that read was killed, perhaps for want of memory",
                hint="lower work.memory_mb or work.processes",
            ) from error
        finally:
            if not all(future.done() and not future.cancelled() for future in futures):
                self.break_off()
            for future in futures:
                future.cancel()

    def _submit(self, function: Callable[[_Job], _Result], jobs: Iterable[_Job]) -> list[Future[_Result]]:
        if self._pool is None:
            # spawned, not forked: the libraries below have threads of their own
            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self._processes, context, initializer=_depend_on_the_parent)
        with _interrupts_put_off():
            return [self._pool.submit(function, job) for job in jobs]

    def break_off(self) -> None:
        """End the processes at once: a part that is being read would be waited for. New jobs get new ones."""
        pool, self._pool = self._pool, None
        if pool is not None:
            for process in list((pool._processes or {}).values()):  # noqa: SLF001  3.14 has kill_workers()
                process.kill()
            pool.shutdown(cancel_futures=True)

    def close(self) -> None:
        """End the processes, which have nothing to do any more."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


@contextmanager
def open_workers(processes: int) -> Iterator[Workers]:
    """`processes` side by side, from the first job on. They end with the block, however it ends."""
    workers = Workers(processes)
    try:
        yield workers
    except BaseException:
        workers.break_off()
        raise
    finally:
        workers.close()


@contextmanager
def _interrupts_put_off() -> Iterator[None]:
    """For the beginning of processes: one that only half is there is known to nobody who could end it.

    Nor has it a way yet to take an interrupt, which a terminal sends to all: it inherits that it gets none.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        signal.signal(signal.SIGINT, before)
        for number in came:
            signal.raise_signal(number)


def kill_processes() -> None:
    """End every process that works for this one, whatever it is at: this one is about to end, too."""
    for process in multiprocessing.active_children():
        process.kill()
        process.join()
    # what they shared is known by name, and somebody would complain that it was left behind
    util._run_finalizers(0)  # type: ignore[attr-defined]  # noqa: SLF001


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
