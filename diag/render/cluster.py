"""``diag cluster`` on a terminal: what ran, what became of it, and what could not be seen."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from rich.text import Text

from diag.model.cluster import Autoscaler, ClusterEvent, Service
from diag.model.cluster_view import (
    ClusterReport,
    ClusterView,
    Export,
    InForce,
    PodView,
    Restart,
    WorkloadView,
)
from diag.model.coverage import SourceCoverage, State
from diag.model.instants import format_clock, format_instant
from diag.render.cluster_words import (
    count,
    describe_endpoints,
    describe_export,
    describe_moment,
    describe_port,
    describe_probe,
    describe_restart,
    describe_scale,
    describe_since,
    short_image,
)
from diag.render.neutral import shorten, to_plain

WIDTH = 80
_STATE, _NAMED = 17, 24
_MOST_NORMAL = 20
"""Events that are no warnings: the last of them tell the most."""


def render_cluster(report: ClusterReport) -> Text:
    """Workload by workload, then services, autoscalers and events; last what was not read."""
    view = report.view
    lines = [*_head(view)]
    for one in view.workloads:
        lines += [Text(""), *_workload_lines(one, view)]
    if view.others:
        lines += [*_title("pods of no workload"), *(line for pod in view.others for line in _pod_lines(pod))]
    if view.services:
        lines += [*_title("services", "as they are now"), *map(_service_line, view.services)]
    if view.autoscalers:
        lines += [
            *_title("autoscalers", "as they are now"),
            *(line for one in view.autoscalers for line in _autoscaler_lines(one)),
        ]
    if view.events:
        lines += _events(view.events)
    lines += _coverage_lines(report.sources)
    if view.export is not None:
        style = "red" if view.export.state is Export.OFF else "dim"
        lines += (Text(line, style=style) for line in _wrap(describe_export(view.export), 2))
    return Text("\n").join(lines)


def _head(view: ClusterView) -> Iterator[Text]:
    where = ", ".join(view.namespaces) or "all namespaces"
    version = f" · {view.version}" if view.version else ""
    yield Text(_fit(f"{view.place}, {where}{version}"), style="bold")
    read = f"{format_instant(view.read_ns, 0)[:10]} {format_clock(view.read_ns, 0)} UTC"
    yield Text(f"now, {read}" if view.window is None else f"{view.window.to_text()}, seen from {read}")
    if not (view.workloads or view.others or view.services):
        yield Text("\nnothing ran there then, as far as could be seen")


def _title(text: str, note: str = "") -> Iterator[Text]:
    yield Text("")
    line = Text(text, style="bold")
    yield line.append(f"   {note}", style="not bold dim") if note else line


def _fit(text: str, width: int = WIDTH, indent: int = 0) -> str:
    """`text` as plain text that fits, behind so many spaces."""
    return " " * indent + shorten(to_plain(text), width - indent)


def _wrap(text: str, indent: int, most: int = 3) -> Iterator[str]:
    """Some lines of a text, indented; the last says that there is more."""
    rows = textwrap.wrap(to_plain(text), WIDTH - indent) or [""]
    if len(rows) > most:
        rows = [*rows[: most - 1], shorten(rows[most - 1], WIDTH - indent - 3) + " .."]
    yield from (" " * indent + row for row in rows)


def _workload_lines(one: WorkloadView, view: ClusterView) -> Iterator[Text]:
    workload = one.workload
    namespace = f"{workload.namespace}/" if len(view.namespaces) != 1 else ""
    scale = f"{workload.ready} of {workload.wanted} ready{'' if view.window is None else ' now'}"
    name = _fit(f"{workload.kind} {namespace}{workload.name}", WIDTH - len(scale) - 2)
    line = Text(name, style="bold")
    style = "green" if workload.ready >= workload.wanted else "red"
    yield line.append(" " * (WIDTH - len(name) - len(scale))).append(scale, style=f"not bold {style}")
    for stretch in one.in_force:
        yield from _revision_lines(stretch)
    current = workload.current
    if current is not None and all(current.name != stretch.name for stretch in one.in_force):
        yield Text(_fit(f"now: revision {current.number} {current.name}", indent=2), style="yellow")
    for note in one.notes:
        yield Text(_fit(note, indent=2), style="yellow")
    for container in workload.containers:
        for probe in container.probes:
            yield Text(_fit(describe_probe(probe), indent=2), style="dim")
    for pod in one.pods:
        yield from _pod_lines(pod)


def _revision_lines(stretch: InForce) -> Iterator[Text]:
    if stretch.revision is None:
        told = f"revision not kept: {stretch.name or 'older than all that are'}"
        yield Text(_fit(f"{told}; {describe_since(stretch)}", indent=2), style="yellow")
        for image in stretch.told:
            yield Text(_fit(f"{short_image(image)}, by the audit log", indent=4), style="dim")
        return
    number = f"revision {stretch.revision.number} " if stretch.revision.number else ""
    yield Text(_fit(f"{number}{stretch.name}  {describe_since(stretch)}", indent=2))
    for image in stretch.images:
        yield Text(_fit(short_image(image), indent=4), style="dim")


def _pod_lines(pod: PodView) -> Iterator[Text]:
    style = "green" if pod.well else "dim" if pod.pod is None else "red"
    state = Text("  ").append(f"{_fit(pod.state, _STATE - 1):<{_STATE}}", style=style)
    yield state.append(_fit(pod.name, WIDTH - _STATE - 2))
    indent = 2 + _STATE
    told = [
        "" if pod.restarts is None else count(pod.restarts, "restart"),
        "" if pod.since_ns is None else f"since {describe_moment(pod.since_ns)}",
        *sorted({f"{image.partition('@')[2][:19]}.." for image in pod.images if "@" in image}),
    ]
    if any(told):
        yield Text(_fit(", ".join(filter(None, told)), indent=indent), style="dim")
    for restart in pod.restarted:
        yield from (Text(line, style="red") for line in _wrap(_tell_restart(restart), indent))
    for note in pod.notes:
        yield from (Text(line, style="dim") for line in _wrap(note, indent))


def _tell_restart(restart: Restart) -> str:
    return f"{format_clock(restart.at_ns, 0)} {describe_restart(restart)}"


def _service_line(one: Service) -> Text:
    ports = ", ".join(map(describe_port, one.ports)) or "no port"
    affinity = "" if one.affinity == "None" else f", {one.affinity}"
    behind = describe_endpoints(one)
    bad = bool(one.selector) and one.endpoints is not None and not one.endpoints.ready
    told = _fit(f"{one.kind} {ports}{affinity}", WIDTH - _NAMED - len(behind) - 2)
    line = Text(f"  {_fit(one.name, _NAMED - 3):<{_NAMED - 2}}{told}")
    line.append(" " * (WIDTH - len(line.plain) - len(behind)))
    return line.append(behind, style="red" if bad else "green" if one.endpoints else "dim")


def _autoscaler_lines(one: Autoscaler) -> Iterator[Text]:
    """What hinders it has a line of its own where it does not fit behind the numbers."""
    whole = describe_scale(one)
    if len(whole) <= WIDTH - _NAMED:
        yield _named_line(one.name, whole)
    else:
        yield _named_line(one.name, describe_scale(replace(one, limited="")))
        if one.limited:
            yield _named_line("", one.limited)


def _named_line(name: str, text: str) -> Text:
    return Text(f"  {_fit(name, _NAMED - 3):<{_NAMED - 2}}{_fit(text, WIDTH - _NAMED)}")


def _events(events: Sequence[ClusterEvent]) -> Iterator[Text]:
    """Every warning, and the last of the others."""
    normal = [event for event in events if not event.warning and not event.audited]
    hidden = normal[: max(0, len(normal) - _MOST_NORMAL)]
    yield from _title("events", f"{len(hidden)} of no weight are left out" if hidden else "")
    for event in events:
        if event not in hidden:
            yield from _event_lines(event)


def _event_lines(event: ClusterEvent) -> Iterator[Text]:
    when = "--:--:--" if event.last_ns is None else format_clock(event.last_ns, 0)
    times = f" x{event.count}" if event.count > 1 else ""
    line = Text(f"  {when} ").append(
        f"{_fit(event.reason, 20):<21}", style="yellow" if event.warning else "dim"
    )
    yield line.append(_fit(f"{event.kind}/{event.name}{times}", WIDTH - 32))
    if event.text and (event.warning or event.audited):
        yield from (Text(row, style="dim") for row in _wrap(event.text, 11, 2))


def _coverage_lines(sources: Iterable[SourceCoverage]) -> Iterator[Text]:
    yield from _title("read")
    for source in sources:
        style = "" if source.state in (State.COMPLETE, State.NOT_ASKED) else "yellow"
        state = source.state.value.replace("_", " ")
        told = f": {source.got}" if source.got else ""
        yield from (Text(line, style=style) for line in _wrap(f"{source.source} {state}{told}", 2))
        for note in source.notes:
            yield from (Text(line, style=style or "dim") for line in _wrap(note, 4))
