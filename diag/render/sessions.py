"""``diag sessions`` and ``diag find`` on a terminal: a line for each session, and below it why it is here."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator

from rich.text import Text

from diag.model.coverage import State
from diag.model.findings import Status
from diag.model.instants import format_clock, format_day
from diag.model.overview import Overview, SessionLine
from diag.render.neutral import shorten, to_plain
from diag.render.terminal import STATUS_STYLE, WIDTH, coverage_lines

_PARTS = (("media", "m"), ("orchestrator", "o"), ("stt", "s"), ("llm", "l"), ("tts", "t"))
_LONGEST_ID = 38
_AT = 10
_LONGEST_REF = 200
_LEGEND = "m media server, o orchestrator, s STT, l LLM, t TTS; turns answered of all"


def render_overview(overview: Overview) -> Text:
    """The whole list as one styled text; it ends with what was read."""
    lines = [*_heading(overview), Text(""), *_table(overview), *_notes(overview), Text("")]
    lines.append(Text("COVERAGE", style="bold"))
    lines += coverage_lines(overview.coverage.sources)
    return Text("\n").join(lines)


def _heading(overview: Overview) -> Iterator[Text]:
    where = overview.window.to_text() if overview.window else "no line with a time"
    counts = Counter(line.status for line in overview.sessions)
    told = [f"{counts[status]} {status.value}" for status in STATUS_STYLE if counts[status]]
    number = f"{len(overview.sessions)} session{'' if len(overview.sessions) == 1 else 's'}"
    only = f" {to_plain(overview.only)}, of {overview.seen}" if overview.only else ""
    yield Text(shorten(f"{number}{only}, {where}", WIDTH), style="bold")
    if told:
        yield Text(", ".join(told))


def _table(overview: Overview) -> Iterator[Text]:
    if not overview.sessions:
        yield from map(Text, _say_that_none_was_seen(overview))
        return
    yield Text(
        f"  {'first':<8}  {'session':<{_LONGEST_ID}}  {'seen in':<7}  {'turns':>5}  verdict", style="dim"
    )
    day = ""
    for line in overview.sessions:
        if line.first_ns and (today := format_day(line.first_ns)) != day:
            day = today
            yield Text(f"  {day}", style="dim")
        yield _row(line, overview)
        yield from _reason(line)
        yield from _found_by(line)
    yield Text(f"  {_LEGEND}", style="dim")


def _say_that_none_was_seen(overview: Overview) -> Iterator[str]:
    """Lines that name no session that diag knows are not the same as no sessions."""
    states = {source.state for source in overview.coverage.sources} - {State.NOT_ASKED}
    if states == {State.FAILED}:
        yield "Nothing could be read."
        return
    yield f"No session was {'found' if overview.notes else 'seen'}."
    if not overview.seen and overview.coverage.entries_read():
        yield "No entry has an ID under a key that a catalogue calls a session's: [ids] in"
        yield "docs/catalogue.md tells how to name yours."


def _row(line: SessionLine, overview: Overview) -> Text:
    sides = {overview.coverage.sides.get(service, "") for service in line.services}
    seen = "".join(letter if side in sides else "-" for side, letter in _PARTS)
    answered = sum(turn.is_reply for turn in line.turns)
    turns = f"{answered}/{len(line.turns)}" if line.turns else "-"
    first = format_clock(line.first_ns, 0) if line.first_ns else "-"
    name = shorten(to_plain(line.id), _LONGEST_ID)
    row = Text(f"  {first:<8}  {name:<{_LONGEST_ID}}  {seen:<7}  {turns:>5}  ")
    row.append(line.status.value, style=STATUS_STYLE[line.status])
    return row.append(", open") if line.open else row


def _reason(line: SessionLine) -> Iterator[Text]:
    """Why it is not healthy, in one line: the cause, else the verdict's sentence."""
    if line.status is Status.HEALTHY:
        return
    cause = f"{line.cause} ({line.component}): " if line.cause else ""
    yield _below(to_plain(cause + line.summary))


def _found_by(line: SessionLine) -> Iterator[Text]:
    """The most telling line that has what was sought: where in it, who wrote it when, its place, its text."""
    if not line.found_by:
        return
    first, *others = line.found_by
    when = format_clock(first.evidence.time_ns, 3) if first.evidence.time_ns else "no time"
    more = f"; also by {', '.join(one.kind.value for one in others)}" if others else ""
    yield _below(f"by {first.kind.value}{more}: {when} {to_plain(first.service) or 'unknown service'}")
    if first.where not in first.evidence.ref and first.where not in first.evidence.text:
        yield _below(f"  {to_plain(first.where)}")
    yield _below(f"  {to_plain(first.evidence.text)}")
    # whole, on a line of its own if it fits: half a reference finds nothing
    ref = shorten(to_plain(first.evidence.ref), _LONGEST_REF)
    for part in textwrap.wrap(ref, WIDTH - 2, break_on_hyphens=False):
        yield Text(f"  {part}", style="dim")


def _below(text: str) -> Text:
    return Text(" " * _AT + "  " + shorten(text, WIDTH - _AT - 2), style="dim")


def _notes(overview: Overview) -> Iterator[Text]:
    for note in overview.notes:
        yield from map(Text, textwrap.wrap(to_plain(note), WIDTH))
