"""Blocking calls beside the loop, in threads that nobody has to wait for.

The interpreter joins the threads of `asyncio.to_thread` when it ends: a pipe that nobody fills, a login that
hangs in a command of its own, or an address that swallows packets, would hold up Ctrl-C.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

_T = TypeVar("_T")


async def run_aside(call: Callable[[], _T]) -> _T:
    """What `call` gives, or raises, from a thread of its own; a cancellation leaves it behind."""
    answer: Future[_T] = Future()
    answer.set_running_or_notify_cancel()  # who gives up waiting does not end the call

    def work() -> None:
        try:
            answer.set_result(call())
        except BaseException as error:  # noqa: BLE001  whatever it is, who waits must hear of it
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return await asyncio.wrap_future(answer)
