"""The session's course: the diagram, the lines in order, and what passed through Kafka."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise

from diag.model.clocks import Clocks
from diag.model.code import CodeFacts, Means, WrittenText
from diag.model.diagnosis import Diagnosis
from diag.model.events import Event
from diag.model.flow import TopicFlow
from diag.model.instants import format_clock
from diag.model.session import Attribution, Session
from diag.render.durations import describe_duration
from diag.render.ladder import CALLER, LLM, MEDIA, ORCHESTRATOR, STT, TTS, Step, build_ladder
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.neutral import shorten, to_code, to_label, to_prose

MOST_LINES = 250
_MOST_DIAGRAM = 1_900
_LONGEST_TEXT = 160
_NAMES = {
    CALLER: "caller",
    MEDIA: "media server",
    ORCHESTRATOR: "orchestrator",
    STT: "STT",
    LLM: "LLM",
    TTS: "TTS",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One row of the timeline; lines alike in a row are one, and say so if they are attributed."""

    time: str
    service: str
    pod: str
    text: str
    code: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """The rows that are shown, how many were left out, and whether several are of one time."""

    lines: tuple[Line, ...]
    omitted: int
    tied: bool


def build_timeline(session: Session, index: EvidenceIndex, code: CodeFacts | None = None) -> Timeline:
    """Runs of the same message are one row; beyond `MOST_LINES` the middle is left out, and counted."""
    runs = list(_runs(session.timeline))
    shown = runs if len(runs) <= MOST_LINES else runs[: MOST_LINES // 2] + runs[-MOST_LINES // 2 :]
    omitted = sum(len(run) for run in runs) - sum(len(run) for run in shown)
    tied = any(one.events[-1].time_ns == two.events[0].time_ns for one, two in pairwise(shown))
    return Timeline(tuple(_to_line(run, session.clocks, index, code) for run in shown), omitted, tied)


@dataclass(frozen=True, slots=True)
class _Run:
    """Lines alike; `mark` says what attributes them, empty for the session's own."""

    events: list[Event]
    mark: str

    def __len__(self) -> int:
        return len(self.events)


def _runs(lines: Iterable[Event | Attribution]) -> Iterator[_Run]:
    for (_, _, mark), run in groupby(lines, key=_likeness):
        yield _Run([one.event if isinstance(one, Attribution) else one for one in run], mark)


def _likeness(one: Event | Attribution) -> tuple[str, str, str]:
    event = one.event if isinstance(one, Attribution) else one
    return event.entry.message, event.entry.pod, _mark(one) if isinstance(one, Attribution) else ""


def _mark(one: Attribution) -> str:
    return f" *attributed by {to_code(one.rule)}{', ambiguous' if one.ambiguous else ''}*"


def _to_line(line: _Run, clocks: Clocks, index: EvidenceIndex, code: CodeFacts | None) -> Line:
    run, first = line.events, line.events[0]
    text = to_code(shorten(first.text, _LONGEST_TEXT)) + (
        f" and {len(run) - 1} more alike" if len(run) > 1 else ""
    )
    return Line(
        _describe_times(run, clocks),
        to_code(first.entry.service) if first.entry.service else "",
        to_code(first.entry.pod) if first.entry.pod else "",
        text + line.mark,
        _describe_code(code.find(first.entry)) if code else "",
        index.cite([first.to_evidence()]),
    )


def _describe_code(written: WrittenText | None) -> str:
    """Where it is written; a dash where that is not known, all places where one is as likely as another."""
    if written is None or not written.places:
        return "-"
    named = " or ".join(to_code(place.ref) for place in written.places)
    functions = {place.function for place in written.places}
    inside = f" {to_code(functions.pop())}" if len(functions) == 1 and functions != {""} else ""
    return named + inside + ("" if written.places[0].means is Means.SYNTAX else ", by text")


def _describe_times(run: list[Event], clocks: Clocks) -> str:
    """As written, and in brackets by the clock of the reference where that is proved to differ."""
    first, last = run[0], run[-1]
    # a line without a time of its own stands where its neighbour does
    about = "" if first.entry.time_known else "~"
    times = f"{about}{format_clock(first.time_ns)}" if first.time_ns else ""
    if len(run) > 1 and last.time_ns != first.time_ns:
        times += f" - {format_clock(last.time_ns)}"
    adjusted_ns = clocks.adjust(first.entry)
    return times if adjusted_ns is None else f"{times} ({format_clock(adjusted_ns)})"


def build_diagram(diagnosis: Diagnosis) -> str:
    """A Mermaid sequence diagram, short enough to render everywhere; empty without steps."""
    steps = build_ladder(diagnosis)
    if not steps:
        return ""
    used = {lane for step in steps for lane in (step.lane, step.to or step.lane)}
    lines = ["sequenceDiagram"]
    lines += [f"  participant {lane} as {name}" for lane, name in _NAMES.items() if lane in used]
    size = sum(len(line) + 1 for line in lines)
    for place, step in enumerate(steps):
        line = _to_arrow(step)
        if size + len(line) + 1 > _MOST_DIAGRAM:
            lines.append(f"  Note over {step.lane}: {len(steps) - place} more steps")
            break
        lines.append(line)
        size += len(line) + 1
    return "\n".join(lines)


def _to_arrow(step: Step) -> str:
    took = "" if step.took is None else f" {describe_duration(step.took)}"
    text = to_label(f"{format_clock(step.time_ns)[-6:]} {step.text}{took}")
    arrow = "-x" if step.bad else "->>"
    return f"  {step.lane}{arrow}{step.to or step.lane}: {text}"


@dataclass(frozen=True, slots=True)
class FlowRow:
    """One topic's row."""

    topic: str
    produced: str
    stored: str
    consumed: str
    by_other: str
    lagging: str
    expired: str
    lag: str
    notes: str
    evidence: str


def build_flow_rows(session: Session, index: EvidenceIndex) -> tuple[FlowRow, ...]:
    """What passed through Kafka, a row a topic; a dash where nothing tells."""
    return tuple(_to_flow_row(flow, index) for flow in session.flows)


def _to_flow_row(flow: TopicFlow, index: EvidenceIndex) -> FlowRow:
    turned = (record for one in flow.order.examples[:1] for record in (one.record, one.behind))
    ends = dict.fromkeys((*flow.records[:1], *flow.records[-1:], *turned))
    return FlowRow(
        topic=to_code(flow.topic),
        produced=_count(flow.produced),
        stored=_count(flow.stored),
        consumed=_count(flow.consumed),
        by_other=_count(flow.consumed_by_other),
        lagging=_count(flow.lagging),
        expired=_count(flow.expired),
        lag=_count(flow.lag),
        notes=to_prose("; ".join(flow.notes)),
        evidence=index.cite(record.to_evidence() for record in ends),
    )


def _count(number: int | None) -> str:
    return "-" if number is None else str(number)
