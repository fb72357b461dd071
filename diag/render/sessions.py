"""``diag sessions`` on a terminal: a line for each session, and the cause below those that are sick."""

from __future__ import annotations

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
_LEGEND = "m media server, o orchestrator, s STT, l LLM, t TTS; turns answered of all"


def render_overview(overview: Overview) -> Text:
    """The whole list as one styled text; it ends with what was read."""
    lines = [*_heading(overview), Text(""), *_table(overview), Text("")]
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
        states = {source.state for source in overview.coverage.sources} - {State.NOT_ASKED}
        yield Text("Nothing could be read." if states == {State.FAILED} else "No session was seen.")
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
    yield Text(f"  {_LEGEND}", style="dim")


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
    yield Text(" " * _AT + "  " + shorten(to_plain(cause + line.summary), WIDTH - _AT - 2), style="dim")
