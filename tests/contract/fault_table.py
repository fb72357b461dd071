"""What must hold of every fault of every source: the columns of the matrix in ``docs/robustness.md`` share it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from diag.cli import exits
from diag.errors import ExitCode
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis, NothingFound
from diag.model.findings import Severity
from tests.cases import Case, read_case_file

HEALTHY = Path(__file__).parents[1] / "eras/b-healthy.case"
CODES = {
    State.COMPLETE: ExitCode.OK,
    State.PARTIAL: ExitCode.INCOMPLETE,
    State.FAILED: ExitCode.SOURCE_FAILED,
}

Answer = Diagnosis | NothingFound


def healthy() -> Case:
    """A session of which no check finds anything: what sets the exit code is the fault."""
    return read_case_file(HEALTHY)


def find_row(answer: Answer, source: str) -> SourceCoverage:
    """What coverage says of `source`."""
    (row,) = [one for one in answer.coverage.sources if one.source == source]
    return row


def code_of(answer: Answer) -> int:
    """The exit code that follows from an answer."""
    if isinstance(answer, NothingFound):
        return exits.of_nothing(answer)
    return exits.of_diagnosis(answer, Severity.WARNING)


def check_row(answer: Answer, source: str, state: State, words: Iterable[str]) -> None:
    """The state, the promised exit code, and lines that say what happened and what to do, each in `words`."""
    row = find_row(answer, source)
    assert row.state is state, row
    assert code_of(answer) == CODES[state], row
    for word in words:
        (note, *_) = [note for note in row.notes if word in note] or [""]
        assert note, (word, row.notes)
        assert "; " in note, f"no remedy: {note}"
    for note in row.notes:
        assert note.isprintable(), note
        assert "Traceback" not in note


def keeps(answer: Answer, source: str, entries: int) -> bool:
    """Whether the session is judged, by so many log entries of `source` at least."""
    return isinstance(answer, Diagnosis) and find_row(answer, source).entries >= entries
