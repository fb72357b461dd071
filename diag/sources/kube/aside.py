"""Blocking calls beside the loop, in threads that nobody has to wait for.

The interpreter joins the threads of `asyncio.to_thread` when it ends: a login that hangs in a command of its
own, or an address that swallows packets, would hold up Ctrl-C.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

_T = TypeVar("_T")


async def run_aside(call: Callable[[], _T]) -> _T:
    """What `call` gives, or raises, from a thread of its own."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[_T] = loop.create_future()

    def deliver(settle: Callable[[], None]) -> None:
        if not answer.done():
            settle()

    def work() -> None:
        try:
            found = call()
        except BaseException as error:  # noqa: BLE001  whatever it is, who waits must hear of it
            settle = _failing(answer, error)
        else:
            settle = _succeeding(answer, found)
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(deliver, settle)

    threading.Thread(target=work, daemon=True).start()
    return await answer


def _succeeding(answer: asyncio.Future[_T], found: _T) -> Callable[[], None]:
    return lambda: answer.set_result(found)


def _failing(answer: asyncio.Future[_T], error: BaseException) -> Callable[[], None]:
    return lambda: answer.set_exception(error)
