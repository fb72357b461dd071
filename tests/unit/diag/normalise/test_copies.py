"""Lines that were read twice are one; lines that were written twice are two."""

from __future__ import annotations

from typing import Any

from diag.catalogue import load_catalogue
from diag.model.records import LogRecord
from diag.normalise import join_frames, to_frame


def line(time: str, name: str, message: str = "STT failed") -> LogRecord:
    return LogRecord({"time": time, "level": "info", "msg": message, "service": "orchestrator"}, name)


def entry(time: str, insert_id: str) -> LogRecord:
    data: dict[str, Any] = {
        "logName": "projects/p/logs/stderr",
        "insertId": insert_id,
        "timestamp": time,
        "resource": {"labels": {"container_name": "orchestrator", "pod_name": "orchestrator-1"}},
        "jsonPayload": {"level": "info", "msg": "STT failed", "service": "orchestrator"},
    }
    return LogRecord(data)


def count(*records: LogRecord) -> int:
    return join_frames([to_frame(records, load_catalogue())]).height


def test_a_line_of_two_files_is_one() -> None:
    """A copy of a file beside it."""
    assert count(line("2025-07-27T11:26:48.5Z", "a.log:1"), line("2025-07-27T11:26:48.5Z", "b.log:7")) == 1


def test_a_line_that_one_file_repeats_was_written_twice() -> None:
    """And a copy of that file does not make it three or four."""
    twice = [line("2025-07-27T11:26:48Z", f"a.log:{n}") for n in (1, 2)]
    copy = [line("2025-07-27T11:26:48Z", f"b.log:{n}") for n in (1, 2)]

    assert count(*twice) == 2
    assert count(*twice, *copy) == 2


def test_a_line_and_its_entry_are_one_also_where_the_logger_writes_whole_seconds() -> None:
    """The entry stays: it knows the pod and the nanoseconds."""
    frame = join_frames(
        [
            to_frame(
                [line("2025-07-27T11:26:48Z", "a.log:1"), entry("2025-07-27T11:26:48.500123456Z", "i1")],
                load_catalogue(),
            )
        ]
    )

    assert frame["insert_id"].to_list() == ["i1"]


def test_another_second_and_another_message_are_other_lines() -> None:
    """Nothing is lost that only looks alike."""
    seen = entry("2025-07-27T11:26:48.5Z", "i1")

    assert count(line("2025-07-27T11:26:49Z", "a.log:1"), seen) == 2
    assert count(line("2025-07-27T11:26:48Z", "a.log:1", "LLM failed"), seen) == 2
    assert count(line("2025-07-27T11:26:48.1Z", "a.log:1"), seen) == 2
