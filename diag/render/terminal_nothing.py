"""``diag session`` on a terminal where there is no such session: where it was looked for, what was there."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from diag.model.coverage import State
from diag.model.diagnosis import NothingFound
from diag.model.instants import format_clock
from diag.render.neutral import shorten, to_plain
from diag.render.terminal import WIDTH, coverage_lines

_MOST_OCCURRENCES = 20
_MOST_KEYS = 3


def render_nothing(nothing: NothingFound) -> Text:
    """Where we looked, and what was there instead."""
    asked = shorten(to_plain(nothing.query.asked.text), 60) or '""'
    lines = list(_say_what_was_searched(nothing, asked))
    if nothing.occurrences:
        lines.append(Text("\nWHERE IT OCCURS   candidates, none of them proved", style="bold"))
        shown = nothing.occurrences[:_MOST_OCCURRENCES]
        lines += (_nearest_line(o.first_ns, o.service, f"{o.id}  {o.note}") for o in shown)
        if nothing.occurs > len(shown):
            lines.append(Text(f"  ... and {nothing.occurs - len(shown)} more"))
    if nothing.nearest:
        lines.append(Text("\nNEAREST SESSIONS SEEN", style="bold"))
        lines += (_nearest_line(o.first_ns, o.id, f"{o.service}  {o.note}") for o in nothing.nearest)
    lines.append(Text("\nCOVERAGE", style="bold"))
    lines += coverage_lines(nothing.coverage.sources)
    return Text("\n").join(lines)


def _say_what_was_searched(nothing: NothingFound, asked: str) -> Iterator[Text]:
    window = nothing.query.window
    where = window.to_text() if window else "no line with a time"
    read = nothing.coverage.entries_read()
    states = {source.state for source in nothing.coverage.sources} - {State.NOT_ASKED}
    if states == {State.FAILED}:
        yield Text(f"Nothing could be read, so nothing is known of {asked}", style="bold")
        return
    if nothing.unknown_keys:
        keys = ", ".join(to_plain(key) for key in nothing.unknown_keys[:_MOST_KEYS])
        yield Text(f"No session {asked}", style="bold")
        lines = "1 line holds" if nothing.occurs == 1 else f"{nothing.occurs} lines hold"
        unknown = f"{lines} it under {keys}, which no catalogue calls an ID's key"
        told = f"{unknown}: name it under [ids] (docs/catalogue.md)"
        yield from map(Text, textwrap.wrap(told, WIDTH, break_on_hyphens=False))
    elif nothing.occurrences:
        yield Text(f"{asked} is no session: it is shared by several, or no ID at all", style="bold")
    else:
        yield Text(f"No session {asked}", style="bold")
    yield Text(f"searched {where}, {read} {'entry' if read == 1 else 'entries'}")
    if not nothing.occurrences and not nothing.nearest:
        yield Text("to do: check the ID, and below what was asked; diag sessions lists what is there")


def _nearest_line(time_ns: int, name: str, note: str) -> Text:
    when = format_clock(time_ns) if time_ns else "-"
    return Text(shorten(f"  {when}  {to_plain(name)}  {to_plain(note)}", WIDTH))
