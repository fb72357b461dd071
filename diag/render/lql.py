"""``diag lql check`` on a terminal, 80 columns: the tree, the window, what to watch; or the error's place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.cells import cell_len, chop_cells
from rich.text import Text

from diag.model.filter_report import Branch, FilterReport, Note, Problem
from diag.model.instants import format_instant
from diag.render.neutral import shorten, to_plain, to_visible

WIDTH = 80
_LONGEST = 600
_CONTEXT = 56  # cells of the line that stand before the caret at most
_MOST_NOTES = 20
_DEEPEST = 36  # cells of guides; a multiple of three
_GROUPS = {"all of", "any of", "not", "everything"}


def render_filter(report: FilterReport) -> Text:
    """The filter as it was understood, or the first error with a caret under it."""
    if report.problem is not None:
        return _join(_problem_lines(report.given, report.problem))
    lines = list(_tree_lines(report.shown)) if report.shown else []
    lines += _window_lines(report)
    for note in report.notes[:_MOST_NOTES]:
        lines += _note_lines(note)
    if len(report.notes) > _MOST_NOTES:
        lines += [Text(""), Text(f"{len(report.notes) - _MOST_NOTES} more: -o json lists all", style="dim")]
    return _join(lines)


def _join(lines: Iterable[Text]) -> Text:
    return Text("\n").join(lines)


def _tree_lines(branch: Branch, lead: str = "", below: str = "") -> Iterator[Text]:
    """`lead` stands before the branch, `below` before everything under it."""
    lead, below = _clipped(lead), _clipped(below)
    style = "bold" if branch.text in _GROUPS and not branch.meaning else ""
    guides = (lead, below + ("│  " if branch.inner else ""))
    yield from _folded(branch.text, *guides, style=style)
    if branch.meaning:
        yield from _folded(branch.meaning, f"{below}   ", f"{below}   ", style="dim")
    for place, inner in enumerate(branch.inner):
        last = place == len(branch.inner) - 1
        yield from _tree_lines(inner, below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))


def _clipped(guides: str) -> str:
    """The guides of a deep branch: the innermost ones."""
    return guides if len(guides) <= _DEEPEST else f"..{guides[-_DEEPEST:]}"


def _window_lines(report: FilterReport) -> Iterator[Text]:
    low, high = (_instant(ns) for ns in (report.low_ns, report.high_ns))
    if low or high:
        yield Text("")
        yield from _folded(f"from {low or 'the first entry'} to {high or 'the last'}", "window  ", " " * 8)


def _instant(ns: int | None) -> str:
    return "" if ns is None else format_instant(ns).replace(".000000000Z", "Z")


def _note_lines(note: Note) -> Iterator[Text]:
    yield Text("")
    yield from _folded(note.about or "the filter", "! ", "  ", style="yellow")
    yield from _folded(note.text, "  ", "  ")
    if note.instead:
        yield from _folded(note.instead, "  to do: ", "         ", style="green")


def _problem_lines(given: str, problem: Problem) -> Iterator[Text]:
    token = f", token '{problem.token}'" if problem.token else ""
    said = f"{problem.text} at line {problem.line}, column {problem.column}{token}"
    yield from _folded(said, "", "  ", style="bold red")
    yield Text("")
    before, after = _around(given, problem)
    number = f"{problem.line:>4} | "
    yield Text(shorten_cells(f"{number}{before}{after}", WIDTH))
    yield Text(" " * (cell_len(number) + cell_len(before)) + "^", style="bold red")
    if problem.instead:
        yield from _folded(problem.instead, "  to do: ", "         ", style="green")


def _around(given: str, problem: Problem) -> tuple[str, str]:
    """The line before the place and from it on; the beginning is cut where it is long."""
    line = given.split("\n")[problem.line - 1]
    before, after = to_visible(line[: problem.column - 1]), to_visible(line[problem.column - 1 :][:WIDTH])
    if cell_len(before) <= _CONTEXT:
        return before, after
    kept = before[-_CONTEXT:]
    while cell_len(kept) > _CONTEXT - 2:
        kept = kept[1:]
    return f"..{kept}", after


def shorten_cells(text: str, most: int) -> str:
    """`text` or its beginning, at most `most` cells of a terminal wide."""
    return text if cell_len(text) <= most else f"{chop_cells(text, most - 2)[0]}.."


def _folded(text: str, first: str, rest: str, style: str = "") -> Iterator[Text]:
    """`text` without power over the terminal, in lines that fit."""
    room = max(20, WIDTH - max(cell_len(first), cell_len(rest)))
    for place, line in enumerate(_fold(shorten(to_plain(text), _LONGEST), room)):
        yield Text(rest if place else first, style="dim").append(line, style=style or "none")


def _fold(text: str, room: int) -> Iterator[str]:
    line = ""
    for word in text.split(" "):
        pieces = chop_cells(word, room) or [""]
        for place, piece in enumerate(pieces):
            joined = f"{line} {piece}" if line and not place else piece
            if line and (place or cell_len(joined) > room):
                yield line
                joined = piece
            line = joined
    yield line
