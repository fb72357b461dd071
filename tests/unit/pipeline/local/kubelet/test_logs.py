"""Which lines of a log are given, and how."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from pipeline.local.kubelet.log_files import read_log
from pipeline.local.kubelet.log_options import (
    LogOptions,
    LogRefusedError,
    LogWriter,
    choose_run,
    read_options,
    take_tail,
)
from pipeline.local.kubelet.observations import ContainerSeen, Running, State, Terminated, Waiting
from pipeline.local.kubelet.times import from_rfc3339

SECOND = "2026-11-23T16:00:0{}.000000000Z"
LINES = [
    f"{SECOND.format(0)} stdout F zero".encode(),
    f"{SECOND.format(1)} stdout P o".encode(),
    f"{SECOND.format(2)} stderr F two".encode(),
    f"{SECOND.format(3)} stdout F ne".encode(),
    b"no line of a log",
]
ENDED = Terminated(1, "Error", 0, 1, "containerd://old")


def write(**options: object) -> bytes:
    chosen = LogOptions(**options)  # type: ignore[arg-type]
    return LogWriter(chosen).write(take_tail(LINES, chosen))


def test_pieces_become_lines_again() -> None:
    """With the time of the piece that begins a line; lines that are none are left out."""
    assert write() == b"zero\notwo\nne\n"
    assert write(timestamps=True, streams=frozenset({"stdout"})).decode() == (
        f"{SECOND.format(0)} zero\n{SECOND.format(1)} one\n"
    )


def test_lines_are_chosen_by_stream_time_number_and_size() -> None:
    """Each of the options alone."""
    assert write(streams=frozenset({"stderr"})) == b"two\n"
    assert write(since=from_rfc3339(SECOND.format(2))) == b"two\nne\n"
    assert write(tail_lines=3) == b"two\nne\n"
    assert write(tail_lines=0) == b""
    assert write(limit_bytes=6) == b"zero\no"


def test_options_are_read_as_the_api_server_sends_them() -> None:
    """Flags, numbers, times; what is none of these is an error."""
    query = {"follow": "true", "tailLines": "5", "sinceSeconds": "10", "stream": "Stderr"}

    assert read_options(query, now=100) == LogOptions(
        follow=True, tail_lines=5, since=90, streams=frozenset({"stderr"})
    )
    with pytest.raises(ValueError, match="five"):
        read_options({"tailLines": "five"}, now=0)


@pytest.mark.parametrize(
    ("state", "last", "previous", "chosen"),
    [
        (Running(0), ENDED, False, "containerd://new"),
        (Running(0), ENDED, True, "containerd://old"),
        (ENDED, None, False, "containerd://old"),
        (Waiting("CrashLoopBackOff"), ENDED, False, "containerd://old"),
    ],
)
def test_the_run_that_is_meant_is_found(
    state: State, last: Terminated | None, previous: bool, chosen: str
) -> None:
    """The one that runs, the one that has ended, or the one before."""
    seen = ContainerSeen(state, last, container_id="containerd://new")

    assert choose_run(seen, "p", "c", previous=previous) == chosen


@pytest.mark.parametrize(
    ("state", "previous", "text"),
    [
        (Running(0), True, 'previous terminated container "c" in pod "p" not found'),
        (
            Waiting("ErrImagePull"),
            False,
            'container "c" in pod "p" is waiting to start: image can\'t be pulled',
        ),
        (
            Waiting("ContainerCreating"),
            False,
            'container "c" in pod "p" is waiting to start: ContainerCreating',
        ),
    ],
)
def test_a_log_that_is_not_there_is_refused_in_the_kubelets_words(
    state: State, previous: bool, text: str
) -> None:
    """They stand in kubectl's error as they are."""
    with pytest.raises(LogRefusedError) as refused:
        choose_run(ContainerSeen(state), "p", "c", previous=previous)

    assert str(refused.value) == text


async def test_a_log_is_followed_until_its_container_has_ended(tmp_path: Path) -> None:
    """Also a line that was half written; what was written last is not lost."""
    path = tmp_path / "0.log"
    path.write_bytes(LINES[0] + b"\n" + LINES[2][:20])
    has_ended = False
    given: list[bytes] = []

    async def follow() -> None:
        async for text in read_log(path, LogOptions(follow=True), lambda: has_ended):
            given.append(text)
            if len(given) == 1:
                with path.open("ab") as file:
                    file.write(LINES[2][20:] + b"\n")

    following = asyncio.create_task(follow())
    async with asyncio.timeout(30):
        while len(given) < 2:
            await asyncio.sleep(0.01)
        with path.open("ab") as file:
            file.write(LINES[0] + b"\n")
        has_ended = True
        await following
    assert b"".join(given) == b"zero\ntwo\nzero\n"
