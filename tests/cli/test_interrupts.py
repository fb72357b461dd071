"""Ctrl-C: the first ends the reading and gives what came, the second ends the process."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client
from google.cloud.logging_v2.services.logging_service_v2.transports import LoggingServiceV2GrpcTransport
from google.cloud.logging_v2.types import LogEntry
from google.protobuf.json_format import ParseDict

from pipeline.local.cloud_logging.service import LoggingService, build_server
from pipeline.local.cloud_logging.settings import Settings
from pipeline.local.cloud_logging.store import EntryStore
from pipeline.wire.environment import Listen
from tests.cases import read_case_file

from .conftest import CHECKS, DIAG, clean_environment

S = "session_1753615601372_cz4gw0fl5"
SICK, WELL = "id-mismatch/fires-joined-by-trace", "turn-no-reply/quiet-delivered-by-place"
LONG_S = 60.0

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start(workdir: Path) -> Iterator[Start]:
    """Starts diag with an open stdin; what still runs is killed."""
    running = []

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(DIAG), "session", S, "--report", "none", *arguments],
            cwd=workdir, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=clean_environment(workdir),
        )  # fmt: skip
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.communicate()


@pytest.fixture
def start_many(workdir: Path) -> Iterator[Start]:
    """Starts ``diag sessions`` in a group of its own, as a terminal does; what still runs is killed."""
    running = []
    (workdir / "tmp").mkdir()

    def begin(*arguments: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [str(DIAG), "sessions", *arguments],
            cwd=workdir, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
            env={**clean_environment(workdir), "TMPDIR": str(workdir / "tmp"), "DIAG_WORK_PROCESSES": "2"},
        )  # fmt: skip
        running.append(process)
        return process

    yield begin
    for process in running:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def interrupt(process: subprocess.Popen[str]) -> tuple[str, str, float]:
    """Ctrl-C, and what comes of it."""
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LONG_S)
    return out, err, time.monotonic() - began


def lines(case: str) -> list[str]:
    return [json.dumps(entry) + "\n" for entry in read_case_file(CHECKS / f"{case}.case").entries]


def open_pipe(workdir: Path) -> int:
    """A FIFO that has a writer as soon as diag reads it."""
    os.mkfifo(workdir / "pipe")
    return os.open(workdir / "pipe", os.O_RDWR)


def wait_until_read(pipe: int, process: subprocess.Popen[str]) -> None:
    """Until diag has emptied the pipe and has come back for more: what it took first is in its hands by then."""
    _wait_until_empty(pipe, process)
    os.write(pipe, b"\n")
    _wait_until_empty(pipe, process)


def _wait_until_empty(pipe: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + LONG_S
    while struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0]:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_came_until_then_is_judged(start, workdir: Path) -> None:
    """A pipe that goes on: the half that came, marked partial; a finding sets the code."""
    pipe, sick = open_pipe(workdir), lines(SICK)
    process = start("pipe", "-o", "json")
    os.write(pipe, "".join(sick[:8]).encode())
    wait_until_read(pipe, process)

    out, err, took_s = interrupt(process)
    os.close(pipe)
    answer = json.loads(out)

    assert len(answer["timeline"]) > 3
    (files,) = [one for one in answer["coverage"] if one["source"] == "files"]
    assert (files["state"], files["entries"]) == ("partial", 8)
    assert files["notes"] == ["interrupted (Ctrl-C)"]
    assert err == "diag: interrupted; this is what was read until then\n"
    assert process.returncode == 12
    assert took_s < 50


def test_whole_files_are_kept_and_an_incomplete_answer_is_5(start, logs, workdir: Path) -> None:
    """Nothing worse was found."""
    name, pipe = logs(WELL), open_pipe(workdir)
    process = start(name, "pipe")
    os.write(pipe, b"x\n")
    wait_until_read(pipe, process)

    out, _, _ = interrupt(process)
    os.close(pipe)

    assert "interrupted (Ctrl-C)" in out
    assert "files (partial)" in out
    assert process.returncode == 5


def test_nothing_collected_is_130(start, workdir: Path) -> None:
    """One line, and no waiting for the pipe."""
    process = start("-")
    assert process.stdin is not None
    os.write(process.stdin.fileno(), b"\n")
    wait_until_read(process.stdin.fileno(), process)

    out, err, took_s = interrupt(process)

    assert (process.returncode, out) == (130, "")
    assert err == "diag: interrupted; there is no result\n"
    assert took_s < 30


class SlowService(LoggingService):
    """Answers the first page, then nothing for a long time."""

    reached = threading.Event()
    over = threading.Event()

    def list(self, request: Any, context: Any) -> bytes:
        """The second request hangs."""
        if request.page_token:
            self.reached.set()
            self.over.wait(LONG_S * 2)
        return super().list(request, context)


@pytest.fixture
def slow_logging() -> Iterator[str]:
    """The address of a server whose first page has entries and whose second never comes."""
    store = EntryStore()
    service = SlowService(Settings(Listen("127.0.0.1", 0), ("p",)), store)
    service.reached.clear()
    service.over.clear()
    filler = json.loads(lines(SICK)[-1])
    many = [json.loads(line) for line in lines(SICK)]
    many += [{**filler, "insertId": f"f{number}"} for number in range(1500)]
    server, port = build_server(service)
    server.start()
    write(f"127.0.0.1:{port}", many)
    yield f"http://127.0.0.1:{port}"
    service.over.set()
    server.stop(None).wait()


def write(address: str, entries: list[dict[str, Any]]) -> None:
    with grpc.insecure_channel(address) as channel:
        client = LoggingServiceV2Client(transport=LoggingServiceV2GrpcTransport(channel=channel))
        for first in range(0, len(entries), 500):
            batch = [LogEntry.wrap(ParseDict(one, LogEntry.pb()())) for one in entries[first : first + 500]]
            client.write_log_entries(entries=batch)


def test_pages_that_came_are_judged_and_the_broker_is_not_asked_any_more(start, slow_logging: str) -> None:
    """Both sources are partial, for the same reason."""
    process = start(
        "-o", "json", "--project", "p", "--logging-endpoint", slow_logging, "--kafka", "127.0.0.1:9",
        "--since", "2025-07-27T11:20Z", "--until", "2025-07-27T11:40Z",
    )  # fmt: skip
    assert SlowService.reached.wait(LONG_S)

    out, err, took_s = interrupt(process)
    states = {one["source"]: (one["state"], one["notes"][:1]) for one in json.loads(out)["coverage"]}

    assert states["cloud-logging"] == ("partial", ["interrupted (Ctrl-C)"])
    assert states["kafka"] == ("partial", ["interrupted (Ctrl-C)"])
    assert err == "diag: interrupted; this is what was read until then\n"
    assert process.returncode == 12
    assert took_s < 50


def test_an_interrupted_broker_costs_what_it_would_have_told(start, logs) -> None:
    """A listener that never answers: the log entries are judged without it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        process = start(logs(WELL), "-o", "json", "--kafka", address)
        silent.settimeout(LONG_S)
        connection, _ = silent.accept()

        out, _, _ = interrupt(process)
        connection.close()
    states = {one["source"]: (one["state"], one["notes"]) for one in json.loads(out)["coverage"]}

    assert states["files"][0] == "complete"
    assert states["kafka"] == ("partial", ["interrupted (Ctrl-C)"])
    assert process.returncode == 5


SLOW_TO_END = """
import asyncio, time
from diag.cli.interrupts import run_until_interrupted

async def work():
    try:
        print("reading", flush=True)
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        print("judging", flush=True)
        time.sleep(60)

run_until_interrupted(work())
"""


def test_the_second_ends_at_once(workdir: Path) -> None:
    """Whatever is being done with what came."""
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW_TO_END], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=clean_environment(workdir),
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "reading\n"
    process.send_signal(signal.SIGINT)
    assert process.stdout.readline() == "judging\n"

    out, err, took_s = interrupt(process)

    assert (process.returncode, out, err) == (130, "", "")
    assert took_s < 30


FINISHING = "diag: interrupted; finishing with what there is; Ctrl-C again ends at once\n"


def read_some_of_many(start_many: Start, workdir: Path) -> tuple[subprocess.Popen[str], int]:
    """A run that has read some files, and hangs in a process that reads a pipe."""
    for name in "abcd":
        (workdir / f"{name}.ndjson").write_text("".join(lines(SICK)))
    pipe = open_pipe(workdir)
    process = start_many("a.ndjson", "b.ndjson", "c.ndjson", "d.ndjson", "pipe")
    os.write(pipe, b"x\n")
    wait_until_read(pipe, process)
    return process, pipe


def in_group_of(process: subprocess.Popen[str]) -> bool:
    """Whether any process of its group still runs."""
    try:
        os.killpg(process.pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_alone(process: subprocess.Popen[str]) -> None:
    """Until the last process of its group has ended."""
    deadline = time.monotonic() + LONG_S
    while in_group_of(process):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_of_many_sessions_those_that_were_read_are_listed(start_many, workdir: Path) -> None:
    """What is being done is said at once, and a process that hangs in its reading holds up nothing."""
    process, pipe = read_some_of_many(start_many, workdir)

    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == FINISHING
    out, err = process.communicate(timeout=LONG_S)
    os.close(pipe)

    assert S in out
    assert err == "diag: interrupted; this is what was read until then\n"
    assert process.returncode == 5
    wait_until_alone(process)
    assert not list((workdir / "tmp").iterdir())


def test_the_second_leaves_no_process_and_no_folder(start_many, workdir: Path) -> None:
    """Exit 130 at once, whatever is being done with what came."""
    process, pipe = read_some_of_many(start_many, workdir)
    assert list((workdir / "tmp").iterdir())

    os.killpg(process.pid, signal.SIGINT)
    assert process.stderr is not None
    assert process.stderr.readline() == FINISHING
    began = time.monotonic()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=LONG_S)
    os.close(pipe)

    assert (process.returncode, out, err) == (130, "", "")
    assert time.monotonic() - began < 30
    wait_until_alone(process)
    assert not list((workdir / "tmp").iterdir())


def test_what_a_killed_run_left_is_removed_by_the_next(start_many, logs, workdir: Path) -> None:
    """SIGKILL ends its processes, too; the folder goes with the next run, and the next run's own with it."""
    process, pipe = read_some_of_many(start_many, workdir)
    process.kill()
    process.communicate()
    os.close(pipe)
    wait_until_alone(process)
    assert list((workdir / "tmp").iterdir())

    after = start_many(logs(SICK))
    assert S in after.communicate(timeout=LONG_S)[0]
    assert not list((workdir / "tmp").iterdir())
