"""How late entries come, and what that says of those that are not there yet."""

from __future__ import annotations

import pytest

from diag.app.coverage import LEAST_LAG_NS, Unparsed, cover_entries, describe_coverage, find_lag
from diag.catalogue import load_catalogue
from diag.model.coverage import SourceCoverage, State
from diag.model.instants import NS_PER_S
from diag.model.records import LogRecord
from diag.model.window import MINUTE_NS, Window
from diag.normalise import to_frame

NOW_NS = 1_753_615_601 * NS_PER_S
DAY_NS = 86_400 * NS_PER_S

ENTRY = {
    "logName": "projects/p/logs/stdout",
    "insertId": "a",
    "timestamp": "2025-07-27T11:26:41.372Z",
    "textPayload": "Audio consumer stopped",
}


def lag_of(received: str, source: str = "cloud-logging") -> int:
    record = LogRecord({**ENTRY, "receiveTimestamp": received}, source=source)
    return find_lag(to_frame([record], load_catalogue()))


@pytest.mark.parametrize(
    ("received", "lag_ns"),
    [
        ("2025-07-27T11:27:41.372Z", 60 * NS_PER_S),
        ("2025-07-27T11:26:42Z", LEAST_LAG_NS),
        ("2025-07-27T11:26:00Z", LEAST_LAG_NS),
        ("2025-07-29T11:26:41Z", LEAST_LAG_NS),
        ("yesterday", LEAST_LAG_NS),
    ],
    ids=["a minute", "less than usual", "before it was written", "two days", "no time"],
)
def test_the_lag_is_what_an_entry_took_to_be_readable(received: str, lag_ns: int) -> None:
    assert lag_of(received) == lag_ns


def test_nothing_of_a_file_is_still_to_come() -> None:
    """An export keeps when the log service had each entry; that was long ago."""
    assert lag_of("2025-07-27T11:30:00Z", "files") == LEAST_LAG_NS


def test_late_entries_are_said() -> None:
    source = SourceCoverage("cloud-logging", State.COMPLETE)
    late = cover_entries(source, 1, Unparsed(), 42 * NS_PER_S)

    assert late.notes == ("entries came up to 42 s late; what is younger may be missing",)
    assert cover_entries(source, 1, Unparsed()).notes == ()


@pytest.mark.parametrize(
    ("start_ns", "end_ns", "entries", "words"),
    [
        (NOW_NS - 31 * DAY_NS, NOW_NS - 30 * DAY_NS, 5, ["30 days"]),
        (NOW_NS - DAY_NS, NOW_NS, 0, ["on its way"]),
        (NOW_NS - 31 * DAY_NS, NOW_NS, 0, ["30 days", "on its way"]),
        (NOW_NS - DAY_NS, NOW_NS, 5, []),
        (NOW_NS - DAY_NS, NOW_NS - MINUTE_NS, 0, []),
    ],
)
def test_what_a_live_source_can_not_have_is_said(
    start_ns: int, end_ns: int, entries: int, words: list[str]
) -> None:
    """Nothing found is no proof where entries are gone, or have not come yet; a file is what it is."""
    window = Window(start_ns, end_ns)
    live = SourceCoverage("cloud-logging", State.COMPLETE, entries=entries)
    files = SourceCoverage("files", State.COMPLETE, entries=entries)

    notes = describe_coverage([], [live], window, NOW_NS - LEAST_LAG_NS).sources[0].notes

    assert len(notes) == len(words)
    assert all(word in note for word, note in zip(words, notes, strict=True))
    assert describe_coverage([], [files], window, None).sources[0].notes == ()
