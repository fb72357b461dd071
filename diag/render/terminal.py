"""The terminal view: the verdict first, then the ladder, the findings, and what was not seen. 80 columns."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis
from diag.model.findings import Confidence, Finding, Result, Scope, Severity, Status
from diag.model.instants import format_clock, format_day, format_instant
from diag.model.session import Session
from diag.render.attribution import describe_attributed
from diag.render.clocks import describe_clock
from diag.render.durations import describe_duration
from diag.render.flows import describe_flow
from diag.render.ladder import LANES, Step, build_ladder, judges_replies
from diag.render.neutral import shorten, to_plain
from diag.render.terminal_cluster import cluster_lines
from diag.render.terminal_code import code_lines, drift_lines
from diag.render.terminal_turns import turn_lines

WIDTH = 80
_LANE_AT = {lane: 12 + 7 * place for place, lane in enumerate(LANES)}
_TEXT_AT = 51
_MOST_STEPS = 60
STATUS_STYLE = {
    Status.BROKEN: "bold red",
    Status.DEGRADED: "bold yellow",
    Status.HEALTHY: "bold green",
    Status.INCONCLUSIVE: "bold cyan",
}
_SEVERITY_STYLE = {
    Severity.INFO: "cyan",
    Severity.WARNING: "yellow",
    Severity.ERROR: "red",
    Severity.CRITICAL: "bold red",
}


def render_terminal(diagnosis: Diagnosis) -> Text:
    """The whole view as one styled text."""
    blocks = (
        _headline(diagnosis),
        _aliases(diagnosis.session),
        _ladder(diagnosis),
        _clocks(diagnosis.session),
        _attributed(diagnosis.session),
        turn_lines(diagnosis.session, judged=judges_replies(diagnosis)),
        _findings(diagnosis),
        _standing(diagnosis),
        _flows(diagnosis.session),
        cluster_lines(diagnosis.cluster),
        drift_lines(diagnosis),
        code_lines(diagnosis),
        _coverage(diagnosis),
    )
    shown = [lines for block in blocks if (lines := list(block))]
    return Text("\n\n").join(Text("\n").join(lines) for lines in shown)


def _wrap(text: str, first: str, rest: str) -> list[str]:
    return textwrap.wrap(
        to_plain(text), WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False
    ) or [first.rstrip()]


def _headline(diagnosis: Diagnosis) -> Iterator[Text]:
    session, verdict = diagnosis.session, diagnosis.verdict
    name, when = shorten(to_plain(session.id), 44), _span(session)
    yield Text(f"{name}{when:>{max(1, WIDTH - len(name))}}", style="bold")
    label = verdict.status.value.upper()
    indent = " " * (len(label) + 2)
    lines = _wrap(verdict.summary, indent, indent)
    first = Text(label, style=STATUS_STYLE[verdict.status])
    yield first.append(lines[0][len(label) :], style="default")
    yield from map(Text, lines[1:])
    for told in _cause_lines(diagnosis):
        yield from (Text(line, style="dim") for line in _wrap(told, indent, indent))
    yield from map(Text, _remedy_lines(diagnosis, indent))


def _span(session: Session) -> str:
    if session.first_ns is None or session.last_ns is None:
        return "no times"
    first, last = format_clock(session.first_ns, 0), format_clock(session.last_ns, 0)
    still = ", open" if session.open else ""
    return f"{format_day(session.first_ns)} {first} - {last} UTC{still}"


def _cause_lines(diagnosis: Diagnosis) -> Iterator[str]:
    cause = diagnosis.verdict.cause
    if cause is not None:
        basis = "" if not cause.effects else f" · explains {', '.join(cause.effects)}"
        yield f"{cause.slug}, {cause.confidence.value}{basis}"
        if cause.contradicting:
            yield f"against it: {len(cause.contradicting)} lines, see the report"
    for missing in diagnosis.verdict.missing if diagnosis.verdict.status is not Status.INCONCLUSIVE else ():
        yield shorten(missing, WIDTH - 10)


def _remedy_lines(diagnosis: Diagnosis, indent: str) -> list[str]:
    """What to do about the chief cause, or about the symptom where no cause is named."""
    cause, own = diagnosis.verdict.cause, diagnosis.of_scope(Scope.SESSION)
    slug = cause.slug if cause else "turn-no-reply"
    remedy = next((finding.remedy for finding in own if finding.slug == slug), "")
    return _wrap(f"to do: {remedy}", indent, f"{indent}       ") if remedy else []


def _aliases(session: Session) -> Iterator[Text]:
    rows = [(alias, "also known as") for alias in session.aliases]
    rows += [(alias, "candidate") for alias in session.candidates]
    label = ""
    for alias, title in rows:
        name = shorten(to_plain(alias.identifier.text), 33)
        shown = title if title != label else ""
        yield Text(f"  {shown:<14} {name:<34} {alias.rule:<15} score {alias.score}")
        label = title


def _ladder(diagnosis: Diagnosis) -> Iterator[Text]:
    steps = build_ladder(diagnosis)
    if not steps:
        return
    head = [" "] * WIDTH
    for lane, at in _LANE_AT.items():
        _write(head, at - len(lane) // 2, lane)
    _write(head, 2, format_instant(steps[0].time_ns, 0)[11:16])
    yield Text("".join(head).rstrip(), style="dim")
    minute = steps[0].time_ns // 60_000_000_000
    for step in steps[:_MOST_STEPS]:
        if step.time_ns // 60_000_000_000 != minute:
            minute = step.time_ns // 60_000_000_000
            yield Text(f"  {format_instant(step.time_ns, 0)[11:16]}", style="dim")
        yield _ladder_line(step)
    if len(steps) > _MOST_STEPS:
        yield Text(f"  ... {len(steps) - _MOST_STEPS} more steps in the report", style="dim")


def _ladder_line(step: Step) -> Text:
    row = [" "] * WIDTH
    _write(row, 2, format_instant(step.time_ns, 3)[17:23])
    mark = "x" if step.bad else "o"
    start = _LANE_AT[step.lane]
    if step.to and step.to != step.lane:
        end = _LANE_AT[step.to]
        low, high = sorted((start, end))
        _write(row, low, ("-" if not step.bad else " ") * (high - low))
        row[end] = mark
    row[start] = mark
    taken = "" if step.took is None else f"{describe_duration(step.took):>11}"
    room = WIDTH - _TEXT_AT - len(taken)
    _write(row, _TEXT_AT, f"{shorten(to_plain(step.text), room):<{room}}{taken}")
    return Text("".join(row).rstrip(), style="red" if step.bad else "")


def _write(row: list[str], at: int, text: str) -> None:
    for place, char in enumerate(text, at):
        if place < len(row):
            row[place] = char


def _clocks(session: Session) -> Iterator[Text]:
    """That times are not what they seem; nothing where they are."""
    clocks = session.clocks
    parts = [
        f"{clock.pod} is {describe_clock(clock)}{'' if place else f' {clocks.reference}'}"
        for place, clock in enumerate(clocks.adjusted)
    ]
    parts += [f"lines of {' and '.join(one.pods)} contradict each other" for one in clocks.contradictions]
    if parts:
        text = f"clocks: {', '.join(parts)}; times here are raw, in the true order"
        yield from (Text(line, style="dim") for line in _wrap(text, "  ", "    "))


def _attributed(session: Session) -> Iterator[Text]:
    """That there is more in the report than the session's own lines; nothing where there is not."""
    text = describe_attributed(session)
    if text:
        yield from (Text(line, style="dim") for line in _wrap(text, "  ", "    "))


def _findings(diagnosis: Diagnosis) -> Iterator[Text]:
    own = diagnosis.of_scope(Scope.SESSION)
    yield Text("FINDINGS", style="bold")
    for finding in own:
        yield _finding_line(finding)
    counts = _count_outcomes(diagnosis)
    yield Text(shorten(f"  {counts}", WIDTH), style="dim")


def _finding_line(finding: Finding) -> Text:
    refs = f"{len(finding.evidence)} ref{'s' if len(finding.evidence) > 1 else ''}"
    doubt = "" if finding.confidence is Confidence.CONFIRMED else "? "
    title = shorten(to_plain(doubt + finding.title), 34)
    line = Text("  ").append(f"{finding.severity.label:<9}", style=_SEVERITY_STYLE[finding.severity])
    return line.append(f"{finding.slug:<27} {title:<34} {refs:>6}")


def _count_outcomes(diagnosis: Diagnosis) -> str:
    clear = sum(one.result is Result.CLEAR for one in diagnosis.outcomes)
    skipped = [one for one in diagnosis.outcomes if one.result is Result.SKIPPED]
    crashed = [one for one in diagnosis.outcomes if one.result is Result.CRASHED]
    parts = [f"{clear} checks clear"]
    if skipped:
        parts.append(f"{len(skipped)} not checked: {skipped[0].reason}")
    if crashed:
        parts.append(f"{len(crashed)} crashed: {crashed[0].slug}")
    return " · ".join(parts)


def _standing(diagnosis: Diagnosis) -> Iterator[Text]:
    standing = diagnosis.of_scope(Scope.STANDING)
    if not standing:
        return
    title = Text("STANDING", style="bold")
    yield title.append("   true of every session here; none of them broke this one", style="not bold")
    for finding in standing:
        yield _finding_line(finding)
        yield from (Text(line, style="dim") for line in _wrap(finding.remedy, " " * 11, " " * 11))


def _flows(session: Session) -> Iterator[Text]:
    """What stands out on the way through Kafka; nothing where nothing does."""
    told = [(flow.topic, text) for flow in session.flows if (text := describe_flow(flow))]
    if told:
        yield Text("KAFKA", style="bold")
    for topic, text in told:
        yield from map(Text, _wrap(f"{topic}: {text}", "  ", "    "))


def _coverage(diagnosis: Diagnosis) -> Iterator[Text]:
    yield Text("COVERAGE", style="bold")
    yield from coverage_lines(diagnosis.coverage.sources)
    heard = ", ".join(f"{service} {count}" for service, count in diagnosis.coverage.services)
    if heard:
        yield from map(Text, _wrap(f"entries by service: {heard}", "  ", "  "))


def coverage_lines(sources: tuple[SourceCoverage, ...]) -> Iterator[Text]:
    """What each source that was asked gave, a few lines for each."""
    for source in sources:
        if source.state is State.NOT_ASKED:
            continue
        state = "" if source.state is State.COMPLETE else f" ({source.state.value})"
        line = f"{source.source}{state}: {source.got or 'nothing'}; asked {source.asked}"
        yield from map(Text, _wrap(line, "  ", "    "))
        for note in source.notes:
            yield from map(Text, _wrap(note, "    ", "    "))
    silent = [source.source for source in sources if source.state is State.NOT_ASKED]
    if silent:
        yield Text(shorten(f"  not asked: {', '.join(silent)}", WIDTH), style="dim")
