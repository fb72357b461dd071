"""Runs a service: one HTTP server where its settings allow it, honest probes, an orderly end.

The end, from SIGTERM or SIGINT on: the service drains, that is, ``/readyz`` says so at once, and what was
registered by `on_drain` refuses what is new, finishes what runs and tells the clients, while requests
are still answered. Then the listening socket closes, what is still being answered gets the rest of the time,
and the application's ``cleanup_ctx`` ends the background tasks. After `HARD_EXIT_S` the kernel ends the
process whatever it does; so does a second signal, at once. How the time is shared: `pipeline.wire.ending`.
"""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from aiohttp import web

from pipeline.wire.ending import DRAIN_S, HARD_EXIT_S
from pipeline.wire.environment import Listen
from pipeline.wire.log_lines import Log, configure
from pipeline.wire.waiting import limit_silence

Condition = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Probes:
    """What the probes answer from: named conditions, asked anew at each request.

    Attributes:
        ready: all must hold for ``/readyz``.
        alive: all must hold for ``/healthz``.
    """

    ready: Mapping[str, Condition] = field(default_factory=dict)
    alive: Mapping[str, Condition] = field(default_factory=dict)


Step = Callable[[float], Awaitable[None]]


@dataclass(slots=True)
class _Drain:
    begun: bool = False
    steps: list[tuple[Step, float]] = field(default_factory=list)

    @property
    def left_s(self) -> float:
        """What the steps leave of the time."""
        return DRAIN_S - sum(limit_s for _, limit_s in self.steps)


_DRAIN = web.AppKey("drain", _Drain)


def on_drain(app: web.Application, step: Step, limit_s: float) -> None:
    """Have `step` run when the service is told to end, once, after the steps before it.

    It is told how long it has; after `limit_s` it is cut off. All of it happens while the service listens.

    Raises:
        ValueError: the steps together would take longer than `DRAIN_S`.
    """
    state = _drain_of(app)
    if limit_s > state.left_s:
        raise ValueError(f"{limit_s:g} s more than the {state.left_s:g} s that are left of the drain")
    state.steps.append((step, limit_s))


async def drain(app: web.Application) -> None:
    """Be ready no more, then run the steps."""
    state = app.get(_DRAIN, _Drain())
    if state.begun:
        return
    state.begun = True
    for step, limit_s in state.steps:
        with suppress(TimeoutError):
            async with asyncio.timeout(limit_s):
                await step(limit_s)


def answer_limit_s(app: web.Application) -> float:
    """How long requests that are under way when the drain is over are waited for."""
    return app.get(_DRAIN, _Drain()).left_s


def _drain_of(app: web.Application) -> _Drain:
    if _DRAIN not in app:
        app[_DRAIN] = _Drain()
        app.on_shutdown.append(drain)  # however an application ends
    return app[_DRAIN]


def add_probes(app: web.Application, probes: Probes) -> None:
    """Serve ``/healthz`` and ``/readyz``: 200, or 503 with the names of the conditions that fail.

    A service that drains is not ready, whatever its conditions say.
    """
    state = _drain_of(app)

    async def healthz(_request: web.Request) -> web.Response:
        return _answer("alive", probes.alive)

    async def readyz(_request: web.Request) -> web.Response:
        if state.begun:
            return web.json_response({"status": "draining"}, status=503)
        return _answer("ready", probes.ready)

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)


def _answer(status: str, conditions: Mapping[str, Condition]) -> web.Response:
    failing = sorted(name for name, holds in conditions.items() if not holds())
    if failing:
        return web.json_response({"status": f"not {status}", "missing": failing}, status=503)
    return web.json_response({"status": status})


def run_service(service: str, listen: Listen, build: Callable[[Log], web.Application]) -> None:
    """Run the process of `service` until a signal ends it; `build` is called inside the event loop.

    A port that cannot be had is one line on stderr and exit 1.
    """
    log = configure(service)
    try:
        asyncio.run(_serve_until_signal(listen, build, log))
    except OSError as error:
        sys.exit(f"{service} cannot listen on {listen.host}:{listen.port}: {error.strerror}")


async def _serve_until_signal(listen: Listen, build: Callable[[Log], web.Application], log: Log) -> None:
    stop: asyncio.Future[signal.Signals] = asyncio.get_running_loop().create_future()
    _catch_signals(stop)
    app = build(log)
    runner = await start(app, listen, log)
    received = await stop
    log.write("service-stopping", signal=received.name)
    await drain(app)
    await runner.cleanup()
    log.write("service-stopped")


def _catch_signals(stop: asyncio.Future[signal.Signals]) -> None:
    loop = asyncio.get_running_loop()
    caught = (signal.SIGTERM, signal.SIGINT)

    def begin(received: signal.Signals) -> None:
        if stop.done():
            return  # both arrived before the handlers could be taken away
        for number in caught:
            loop.remove_signal_handler(number)
        # Unlike a timer of ours it needs neither the event loop nor the GIL.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.setitimer(signal.ITIMER_REAL, HARD_EXIT_S)
        stop.set_result(received)

    for number in caught:
        loop.add_signal_handler(number, begin, number)


async def start(app: web.Application, listen: Listen, log: Log) -> web.AppRunner:
    """Serve `app`; `cleanup` of the runner ends it. Raises `ValueError` as `Listen.check` does."""
    listen.check()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=answer_limit_s(app))
    limit_silence(app, lambda: runner.server)
    await runner.setup()
    try:
        site = web.TCPSite(runner, listen.host, listen.port)
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    log.write("service-started", port=runner.addresses[0][1])
    return runner
