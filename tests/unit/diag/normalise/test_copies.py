"""Lines that were read twice are one; lines that were written twice are two."""

from __future__ import annotations

import json
from typing import Any

import pytest

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


def collected(time: str, name: str, written: str = "2025-07-27T11:26:48Z") -> LogRecord:
    """The line of a logger of whole seconds, as Docker's json-file has it."""
    inner = {"time": written, "level": "info", "msg": "STT failed", "service": "orchestrator"}
    return LogRecord({"log": json.dumps(inner) + "\n", "stream": "stdout", "time": time}, name)


def test_a_line_and_what_a_node_collected_of_it_are_one() -> None:
    """Neither has an insert ID: `kubectl logs` of a logger of whole seconds, beside the file of the runtime."""
    twice = [line("2025-07-27T11:26:48Z", f"a.log:{n}") for n in (1, 2)]
    node = [collected(f"2025-07-27T11:26:48.{n}00123456Z", f"a-json.log:{n}") for n in (1, 2)]
    frame = join_frames([to_frame([*twice, *node], load_catalogue())])

    assert [time % 10**9 for time in frame["time"]] == [100123456, 200123456]


def test_a_line_that_was_collected_when_the_next_second_had_begun_is_one() -> None:
    """Between writing and collecting are milliseconds, and some of them end a second."""
    written = line("2025-07-27T11:26:48Z", "a.log:1")

    assert count(written, collected("2025-07-27T11:26:49.003Z", "b.log:1")) == 1
    assert count(written, collected("2025-07-27T11:26:49.303Z", "b.log:1")) == 2
    assert count(written, entry("2025-07-27T11:26:49.003Z", "i1")) == 1


def test_a_full_second_of_a_logger_that_writes_milliseconds_is_no_cut_time() -> None:
    """Two lines are two, though one of them happened to be written at .000."""
    exact = [line(f"2025-07-27T11:26:4{n}.{n}Z", f"a.log:{n}", f"message {n}") for n in (1, 2, 3)]

    assert (
        count(*exact, line("2025-07-27T11:26:48.000Z", "a.log:4"), line("2025-07-27T11:26:48.4Z", "b.log:1"))
        == 5
    )


@pytest.mark.parametrize("second_pod", ["orchestrator-5c9b7f6d84-zzzzz", "orchestrator-5c9b7f6d84-aaaaa"])
def test_two_pods_that_write_the_same_line_in_one_second_wrote_two(second_pod: str) -> None:
    """Of which each may be there twice."""
    first = line("2025-07-27T11:26:48Z", "one/orchestrator-5c9b7f6d84-q8wzn.log:1")
    second = line("2025-07-27T11:26:48Z", f"one/{second_pod}.log:1")
    copies = [LogRecord(one.data, one.origin.replace("one/", "two/")) for one in (first, second)]

    assert count(first, second) == 2
    assert count(first, second, *copies) == 2


def test_an_entry_that_came_again_under_another_insert_id_is_one() -> None:
    """The agent that sent it twice had no answer to the first time; the pod wrote it in one nanosecond."""
    sent = [entry("2025-07-27T11:26:48.500123456Z", name) for name in ("i1", "i2", "i1")]
    later = entry("2025-07-27T11:26:48.500123457Z", "i3")

    assert count(*sent, later) == count(later, *reversed(sent)) == 2


@pytest.mark.parametrize("time", ["2025-07-27T11:26:48Z", "2025-07-27T11:26:48.500Z"])
def test_entries_of_one_coarse_time_may_be_two_lines(time: str) -> None:
    """A media server writes one failure twice in a millisecond, an orchestrator many lines in a second."""
    assert count(entry(time, "i1"), entry(time, "i2")) == 2
