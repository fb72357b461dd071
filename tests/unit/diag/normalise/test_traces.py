"""The lines of a stack trace stay with the line that they belong to."""

from __future__ import annotations

import pytest

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.instants import parse_instant
from diag.model.records import LogRecord
from diag.normalise import to_frame

PYTHON = (
    "Traceback (most recent call last):", '  File "/app/stt.py", line 12, in transcribe', "    raise ValueError(size)",
    "ValueError: 79", "", "During handling of the above exception, another exception occurred:", "app.errors.SttError: no text",
)  # fmt: skip
JAVA = (
    "java.io.IOException: closed",
    "\tat a.b.C.read(C.java:12)",
    "Caused by: java.net.SocketException: reset",
    "\t... 12 more",
)
GO = ("goroutine 12 [running]:", "\t/app/main.go:12 +0x1d")


@pytest.mark.parametrize("trace", [PYTHON, JAVA, GO], ids=["Python", "Java", "Go"])
@pytest.mark.parametrize(
    "stamp",
    [
        "2025-07-27T11:26:40.50{n}Z stderr F ",
        "[pod/stt-6f46659ddf-n25zw/stt] 2025-07-27T11:26:40.50{n}Z ",
        "",
    ],
)
def test_a_trace_has_the_time_of_its_line(trace: tuple[str, ...], stamp: str) -> None:
    """A runtime stamps each line for itself, and other streams write between them: it is one event all the same."""
    said = "2025-07-27 11:26:40,500 ERROR Transcription failed"
    lines = [stamp.format(n=n) + line for n, line in enumerate((said, *trace)) if line]
    lines.insert(3, "2025-07-27T11:26:49Z stdout F other")
    lines.append("2025-07-27T11:26:49Z stdout F next")
    records = [LogRecord(line, f"stt.log:{number}") for number, line in enumerate(lines, 1)]
    entries = to_entries(to_frame(records, load_catalogue()))
    own = [entry for entry in entries if entry.message not in ("other", "next")]

    if stamp:
        assert {entry.time_ns for entry in own} == {parse_instant("2025-07-27T11:26:40.5Z")}
    assert [entry.time_known for entry in own] == [True, *(False for _ in own[1:])]
    assert [entry.message for entry in own[1:]] == [line.strip() for line in trace if line]


def test_a_trace_without_a_line_before_it_is_a_line() -> None:
    """A file may begin anywhere."""
    (entry,) = to_entries(
        to_frame([LogRecord("2025-07-27T11:26:41Z stderr F \tat x", "a:1")], load_catalogue())
    )

    assert (entry.message, entry.time_ns) == ("at x", parse_instant("2025-07-27T11:26:41Z"))
    assert entry.time_known


def test_an_error_that_stands_alone_is_no_part_of_what_came_long_before() -> None:
    """Its own time is right."""
    lines = ("2025-07-27T11:26:41Z stderr F done", "2025-07-27T11:26:51Z stderr F ConnectionError: refused")
    entries = to_entries(
        to_frame([LogRecord(line, f"a:{n}") for n, line in enumerate(lines, 1)], load_catalogue())
    )

    assert entries[1].time_ns == parse_instant("2025-07-27T11:26:51Z")
    assert entries[1].time_known
