"""Whoever does not read a filter is narrowed here, whatever kind of source it is."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from diag.app.entries import Entries
from diag.app.where import NARROWED
from diag.catalogue import load_catalogue
from diag.lql import parse
from diag.model import frames
from diag.model.coverage import SourceCoverage, State
from diag.model.queries import LogQuery
from diag.model.records import LogRecord
from diag.model.window import Window
from tests.cases import to_entry

LINES = ("00:01.000 media-server info one", "00:02.000 orchestrator info two")


class Pods:
    """A live source without the query language."""

    def __init__(self) -> None:
        self.asked: list[LogQuery] = []

    async def read(self, query: LogQuery) -> AsyncIterator[tuple[LogRecord, ...]]:
        self.asked.append(query)
        yield tuple(LogRecord(to_entry(line, number)) for number, line in enumerate(LINES))

    def coverage(self) -> SourceCoverage:
        return SourceCoverage("kubernetes", State.COMPLETE)


class Service(Pods):
    """One that keeps its word: what it gives, it gives again, and it reads filters."""

    def identify(self, query: LogQuery) -> str:
        return ""

    def gave_all(self, query: LogQuery) -> bool:
        return True

    def credit(self, window: Window, entries: int) -> None: ...

    def note(self, text: str) -> None: ...


@pytest.mark.parametrize(("source", "entries"), [(Pods(), 1), (Service(), 2)])
async def test_what_a_source_leaves_to_us_is_filtered_here(source: Pods, entries: int) -> None:
    """Every query carries the filter, and the answer is a part of what there is."""
    where = parse('resource.labels.container_name="orchestrator"')
    read = Entries(source, load_catalogue(), None, where)

    await read.read(LogQuery(Window(0, 2**62)))

    assert read.frame.height == entries
    assert [query.where for query in source.asked] == [where]
    assert "orchestrator" in read.frame[frames.SERVICE].to_list()
    assert (read.coverage().state, read.coverage().notes[0]) == (State.PARTIAL, NARROWED)
