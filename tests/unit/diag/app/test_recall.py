"""What is kept and asked for together is what would have been read: no entry more, none less."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diag.app.coverage import LEAST_LAG_NS
from diag.app.entries import INTERRUPTED, Entries
from diag.app.recall import MARGIN_NS, Recall
from diag.catalogue import load_catalogue
from diag.model import frames
from diag.model.coverage import SourceCoverage, State
from diag.model.instants import NS_PER_S, format_instant
from diag.model.queries import LastingSource, LogQuery
from diag.model.records import LogRecord
from diag.model.window import Window
from diag.sources.cache import EntryCache
from tests.cases import START_NS, to_entry

# Settled up to the 60th second; what is later may still become more.
NOW_NS = START_NS + 60 * NS_PER_S + MARGIN_NS + LEAST_LAG_NS


def written(second: float, number: int) -> LogRecord:
    at_ns = START_NS + int(second * NS_PER_S)
    entry = to_entry("00:00.000 llm-service info tick", number)
    times = {"timestamp": format_instant(at_ns), "receiveTimestamp": format_instant(at_ns + NS_PER_S)}
    return LogRecord({**entry, **times}, source="cloud-logging")


class Source:
    """Two entries every second, one of them at the same instant as the next one's first."""

    def __init__(self, whole: bool = True) -> None:
        self.asked: list[Window] = []
        self.credited = 0
        self.notes: list[str] = []
        self._whole = whole
        self._records = [(n // 2, written(n // 2, n)) for n in range(160)]

    async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
        self.asked.append(query.window)
        yield tuple(record for at, record in self._records if query.window.contains(START_NS + at * NS_PER_S))

    def identify(self, query: LogQuery) -> str:
        return repr(query.ids)

    def gave_all(self, _query: LogQuery) -> bool:
        return self._whole

    def credit(self, _window: Window, entries: int) -> None:
        self.credited += entries

    def note(self, text: str) -> None:
        self.notes.append(text)

    def coverage(self) -> SourceCoverage:
        return SourceCoverage("cloud-logging", State.COMPLETE)


def seconds(start: float, end: float) -> Window:
    return Window(START_NS + int(start * NS_PER_S), START_NS + int(end * NS_PER_S))


async def run(path: Path, window: Window, source: Source, most_bytes: int = 1 << 20) -> Entries:
    """One run of diag, with what earlier ones kept."""
    recall = Recall(source, NOW_NS, EntryCache(path, most_bytes, "v"))
    entries = Entries(source, load_catalogue(), recall)
    await entries.read(LogQuery(window, ids=("x",)))
    return entries


def rows(entries: Entries) -> list[tuple]:
    return entries.frame.drop(frames.ORDER).rows()


windows = st.tuples(st.integers(0, 160), st.integers(0, 160)).map(
    lambda ends: seconds(min(ends) / 2, max(ends) / 2)
)


@settings(max_examples=40)  # of up to six runs each
@given(st.lists(windows, min_size=1, max_size=6))
def test_any_runs_one_after_another_read_what_they_would_alone(asked: list[Window]) -> None:
    """Whatever windows were kept: parts, overlaps, gaps, halves of seconds, and what has not settled."""
    with tempfile.TemporaryDirectory() as folder:
        for window in asked:
            source, alone = Source(), Source()
            found = asyncio.run(run(Path(folder) / "diag", window, source))
            expected = asyncio.run(run(Path(folder) / "none", window, alone, most_bytes=0))

            assert rows(found) == rows(expected)
            assert found.frame[frames.ORDER].is_sorted()
            assert len(source.asked) <= len(alone.asked)
            assert all(
                part.start_ns >= window.start_ns and part.end_ns <= window.end_ns for part in source.asked
            )


async def test_only_what_is_not_kept_is_asked_for(tmp_path: Path) -> None:
    """And nothing that may still become more is kept."""
    await run(tmp_path / "c", seconds(10, 20), Source())
    await run(tmp_path / "c", seconds(40, 80), Source())
    source = Source()

    await run(tmp_path / "c", seconds(15, 60), source)

    assert source.asked == [seconds(20, 40)]
    assert source.credited == 2 * (5 + 20)
    later = Source()
    await run(tmp_path / "c", seconds(15, 80), later)
    assert later.asked == [seconds(60, 80)]


async def test_gaps_are_asked_for_in_one(tmp_path: Path) -> None:
    """Each would cost a request, and a cache must never cost one: what lies between is read again."""
    for start in range(5, 60, 10):
        await run(tmp_path / "c", seconds(start, start + 1), Source())
    source = Source()

    await run(tmp_path / "c", seconds(5, 56), source)

    assert source.asked == [seconds(6, 55)]


async def test_a_broken_piece_is_asked_for(tmp_path: Path) -> None:
    """As if it had never been kept; and then it is again."""
    await run(tmp_path / "c", seconds(10, 20), Source())
    (file,) = (tmp_path / "c").iterdir()
    file.write_bytes(file.read_bytes()[:-1])
    source = Source()

    entries = await run(tmp_path / "c", seconds(10, 20), source)

    assert source.asked == [seconds(10, 20)]
    assert entries.frame.height == 20
    again = Source()
    await run(tmp_path / "c", seconds(10, 20), again)
    assert again.asked == []


async def test_what_was_not_read_to_its_end_is_not_kept(tmp_path: Path) -> None:
    """A part taken for the whole would be a false absence."""
    await run(tmp_path / "c", seconds(0, 10), Source(whole=False))

    assert not (tmp_path / "c").exists()


async def test_a_cache_that_can_not_be_used_is_said_and_costs_nothing(tmp_path: Path) -> None:
    """The answer is the same."""
    (tmp_path / "c").mkdir()
    (tmp_path / "c").chmod(0o777)
    source = Source()

    entries = await run(tmp_path / "c", seconds(0, 10), source)

    assert entries.frame.height == 20
    assert "others may write" in source.notes[0]


async def test_an_interruption_keeps_the_kept(tmp_path: Path) -> None:
    """What the cache holds is there at once, even of what comes after the part that was being read."""

    class Slow(Source):
        async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
            yield (self._records[0][1],)
            raise asyncio.CancelledError

    await run(tmp_path / "c", seconds(10, 20), Source())
    entries = await run(tmp_path / "c", seconds(0, 20), Slow())

    assert entries.interrupted
    assert INTERRUPTED in entries.coverage().notes
    assert entries.frame.height == 21


def test_sources_that_can_not_be_kept_are_not(tmp_path: Path) -> None:
    """Files are there anyway."""

    class Plain:
        async def read(self, _query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
            yield ()

        def coverage(self) -> SourceCoverage:
            return SourceCoverage("files", State.COMPLETE)

    assert isinstance(Source(), LastingSource)
    assert not isinstance(Plain(), LastingSource)
    query = LogQuery(seconds(0, 10))
    (part,) = Recall(Plain(), NOW_NS, EntryCache(tmp_path, 1 << 20, "v")).divide(query)
    assert (part.query, part.piece) == (query, None)


@pytest.mark.parametrize("most_bytes", [0, 100])
async def test_a_bound_that_nothing_fits_into_keeps_nothing(tmp_path: Path, most_bytes: int) -> None:
    """And is no error."""
    source = Source()
    await run(tmp_path / "c", seconds(0, 10), source, most_bytes)

    assert not list((tmp_path / "c").glob("*"))
    assert source.notes == []
