"""The recogniser's process: started, asked, and started again if it is lost."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import time
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.process import BaseProcess

from pipeline.stt import worker
from pipeline.stt.core import MODEL
from pipeline.wire.log_lines import Log

_MOST_WAITING = 16
_RESTART_PAUSE_S = 1.0


class RecogniserError(Exception):
    """The speech could not be transcribed now; the text is fit for a log line."""


class Recogniser:
    """One process with the model, that transcribes one utterance after the other.

    `run` is to be a task of the service.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._executor: ProcessPoolExecutor | None = None
        self._process: BaseProcess | None = None
        self._waiting = 0

    @property
    def ready(self) -> bool:
        """Whether the process lives and has its model."""
        return self._process is not None and self._process.is_alive()

    async def run(self) -> None:
        """Keep a process with the model, until cancelled."""
        while True:
            executor = ProcessPoolExecutor(
                1,
                # fork would copy the service's threads' locks; a fork server's death would not reach us
                mp_context=multiprocessing.get_context("spawn"),
                initializer=worker.load,
                initargs=(os.getpid(),),
            )
            try:
                await self._use(executor)
            except BrokenProcessPool:
                self._log.write("recogniser-lost")
            finally:
                self._executor = None
                self._end_process()
                executor.shutdown(wait=False)
            await asyncio.sleep(_RESTART_PAUSE_S)

    async def transcribe(self, pcm: bytes) -> str:
        """The words in `pcm`; raises `RecogniserError`."""
        if self._executor is None:
            raise RecogniserError("the recogniser is not ready")
        if self._waiting >= _MOST_WAITING:
            raise RecogniserError("too many utterances are waiting")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, worker.transcribe, pcm)
        except (BrokenProcessPool, RuntimeError) as error:
            raise RecogniserError(f"the recogniser failed: {type(error).__name__}") from error
        finally:
            self._waiting -= 1

    async def _use(self, executor: ProcessPoolExecutor) -> None:
        """Open `executor` to requests until its process ends; raises `BrokenProcessPool` then."""
        started = time.monotonic()
        pid = await asyncio.get_running_loop().run_in_executor(executor, worker.report_pid)
        process = _find_child(pid)
        if process is None:
            raise BrokenProcessPool
        self._process, self._executor = process, executor
        self._log.write(
            "recogniser-ready", model=MODEL, processing_ms=round((time.monotonic() - started) * 1000)
        )
        await _wait_for_end(process)
        raise BrokenProcessPool

    def _end_process(self) -> None:
        """A process in the middle of an utterance is not waited for: what it had to do fails then."""
        process, self._process = self._process, None
        if process is not None and process.is_alive():
            process.terminate()


def _find_child(pid: int) -> BaseProcess | None:
    return next((child for child in multiprocessing.active_children() if child.pid == pid), None)


async def _wait_for_end(process: BaseProcess) -> None:
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    loop.add_reader(process.sentinel, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(process.sentinel)
