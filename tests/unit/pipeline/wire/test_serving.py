"""Serving: on loopback only, with probes that tell the truth, ended by a signal in good order."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap
from pathlib import Path

import pytest
from aiohttp import web

from pipeline.wire.ending import CLOSE_S, DRAIN_S, HARD_EXIT_S, TASKS_S
from pipeline.wire.environment import Listen
from pipeline.wire.log_lines import Log
from pipeline.wire.serving import Probes, add_probes, answer_limit_s, drain, on_drain, start

REPOSITORY = Path(__file__).resolve().parents[4]

# A service that does not end by itself: argv[1] is the code of its on_shutdown, argv[2] its `HARD_EXIT_S`.
_STUBBORN = textwrap.dedent("""
    import asyncio, sys, time
    from aiohttp import web
    from pipeline.wire import serving
    from pipeline.wire.environment import Listen

    def build(log):
        app = web.Application()
        async def shut_down(_app):
            exec(sys.argv[1])
        app.on_shutdown.append(shut_down)
        return app

    serving.HARD_EXIT_S = float(sys.argv[2])
    serving.run_service("llm-service", Listen("127.0.0.1", 0), build)
""")


async def test_probes_name_what_is_missing(start_client) -> None:
    """503 with the names while a condition fails, 200 once all hold: asked anew each time."""
    state = {"kafka": False, "model": True}
    app = web.Application()
    add_probes(app, Probes(ready={name: lambda name=name: state[name] for name in state}))
    client = await start_client(app)

    before = await client.get("/readyz")
    state["kafka"] = True
    after = await client.get("/readyz")
    health = await client.get("/healthz")

    assert (before.status, await before.json()) == (503, {"status": "not ready", "missing": ["kafka"]})
    assert (after.status, await after.json()) == (200, {"status": "ready"})
    assert (health.status, await health.json()) == (200, {"status": "alive"})


async def test_a_service_that_drains_is_not_ready_and_still_answers(start_client) -> None:
    """From the first moment on; alive all the same, and each step is run once."""
    app, go, steps = web.Application(), asyncio.Event(), []

    async def step(_limit_s: float) -> None:
        steps.append("begun")
        await go.wait()

    add_probes(app, Probes())
    on_drain(app, step, 3.0)
    client = await start_client(app)
    draining = asyncio.create_task(drain(app))
    await asyncio.sleep(0)
    ready, alive = await client.get("/readyz"), await client.get("/healthz")
    assert (ready.status, await ready.json()) == (503, {"status": "draining"})
    go.set()
    await draining
    await client.close()

    assert alive.status == 200
    assert steps == ["begun"]


async def test_a_step_of_the_drain_that_takes_too_long_is_cut_off_and_the_next_one_comes() -> None:
    """Callers are told to move on also where a turn hangs; each step knows how long it has."""
    app, steps = web.Application(), []

    async def hang(limit_s: float) -> None:
        steps.append(limit_s)
        await asyncio.Event().wait()

    async def tell(limit_s: float) -> None:
        steps.append(limit_s)

    on_drain(app, hang, 0.01)
    on_drain(app, tell, 0.5)
    await drain(app)
    await drain(app)

    assert steps == [0.01, 0.5]


def test_a_service_cannot_take_longer_to_end_than_it_may() -> None:
    """The parts are shares of one budget: who asks for more is told when the service is built, not when it dies."""
    app = web.Application()

    async def step(_limit_s: float) -> None:
        pass

    on_drain(app, step, DRAIN_S - 1.0)
    with pytest.raises(ValueError, match="left of the drain"):
        on_drain(app, step, 1.1)
    assert answer_limit_s(app) == pytest.approx(1.0)
    assert DRAIN_S + TASKS_S + CLOSE_S < HARD_EXIT_S


async def test_a_dead_task_is_not_healthy(start_client) -> None:
    """The liveness probe fails, so that the process is replaced."""
    app = web.Application()
    add_probes(app, Probes(alive={"background-tasks": lambda: False}))
    response = await (await start_client(app)).get("/healthz")

    assert response.status == 503


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "localhost"])  # noqa: S104 - refused
async def test_no_other_interface_is_bound(host: str, lines) -> None:
    """Whoever asks for it, the server refuses."""
    with pytest.raises(ValueError, match=r"127\.0\.0\.0/8"):
        await start(web.Application(), Listen(host, 0), Log("llm-service"))

    assert lines.all == []


async def test_what_the_settings_let_in_is_bound(monkeypatch: pytest.MonkeyPatch, lines) -> None:
    """With the setting any address is; nothing is opened here to show it."""
    bound: list[str | None] = []

    async def note(site: web.TCPSite) -> None:
        bound.append(site._host)

    monkeypatch.setattr(web.TCPSite, "start", note)
    monkeypatch.setattr(web.AppRunner, "addresses", property(lambda _: [("10.244.0.7", 8080)]))
    runner = await start(
        web.Application(), Listen("10.244.0.7", 8080, beyond_loopback=True), Log("llm-service")
    )
    await runner.cleanup()

    assert bound == ["10.244.0.7"]


async def test_the_start_is_logged_with_the_real_port(lines) -> None:
    """Also where the system chose it."""
    runner = await start(web.Application(), Listen("127.0.0.1", 0), Log("llm-service"))
    port = runner.addresses[0][1]
    await runner.cleanup()

    assert lines.one("service-started")["port"] == port


async def _start_stubborn(code: str, hard_exit_s: float = HARD_EXIT_S) -> asyncio.subprocess.Process:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _STUBBORN, code, str(hard_exit_s)),
        cwd=REPOSITORY,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_service_in_good_order(number: signal.Signals) -> None:
    """Both signals do; status 0, and a last line that says so."""
    process = await _start_stubborn("pass")
    process.send_signal(number)
    stdout, stderr = await process.communicate()

    assert (process.returncode, stderr) == (0, b"")
    assert [b"Shutting down" in line for line in stdout.splitlines()] == [True, False]
    assert number.name.encode() in stdout
    assert b"Service stopped" in stdout.splitlines()[-1]


async def test_a_service_that_hangs_is_ended_by_the_kernel() -> None:
    """Also where it holds the event loop; after `HARD_EXIT_S` there is no waiting."""
    process = await _start_stubborn("time.sleep(60)", 0.5)
    started = asyncio.get_running_loop().time()
    process.terminate()
    await process.communicate()

    assert process.returncode == -signal.SIGALRM
    assert asyncio.get_running_loop().time() - started < 30  # of 60 s


async def test_a_second_signal_ends_the_service_at_once() -> None:
    """Who asks twice does not want to wait for the deadline."""
    process = await _start_stubborn("await asyncio.sleep(60)")
    process.terminate()
    assert process.stdout is not None
    await process.stdout.readline()
    process.terminate()
    await process.communicate()

    assert process.returncode == -signal.SIGTERM


async def test_a_port_in_use_is_one_line(lines, start_service) -> None:
    """Status 1, and no traceback."""
    runner = await start(web.Application(), Listen("127.0.0.1", 0), Log("llm-service"))
    port = runner.addresses[0][1]
    status, stdout, stderr = await (await start_service("llm", PORT=str(port))).end()
    await runner.cleanup()

    assert (status, stdout) == (1, b"")
    assert stderr.decode().startswith(f"llm-service cannot listen on 127.0.0.1:{port}: ")
    assert stderr.count(b"\n") == 1
