"""The cluster in Markdown: tables that a report holds, and ``diag cluster -o markdown`` as a whole."""

from __future__ import annotations

from collections.abc import Iterator

from diag.model.cluster_view import ClusterReport, ClusterView, PodView, WorkloadView
from diag.model.instants import format_clock
from diag.render.cluster_words import (
    describe_endpoints,
    describe_export,
    describe_moment,
    describe_port,
    describe_restart,
    describe_scale,
    describe_since,
    short_image,
)
from diag.render.neutral import to_code, to_prose


def render_cluster_markdown(report: ClusterReport) -> str:
    """One document: what ran, services, events, and what was read."""
    view = report.view
    when = "now" if view.window is None else view.window.to_text()
    lines = [f"# Cluster {to_code(view.place)}", "", f"{when}, read {describe_moment(view.read_ns)} UTC."]
    for title, rows in _tables(view):
        lines += ["", f"## {title}", "", *rows]
    lines += ["", "## Coverage", ""]
    lines += [f"- {to_prose(describe_export(view.export))}"] if view.export else []
    for source in report.sources:
        lines.append(f"- **{source.source}** {source.state.value.replace('_', ' ')}: {to_prose(source.got)}")
        lines += [f"  - {to_prose(note)}" for note in source.notes]
    return "\n".join(lines) + "\n"


def _tables(view: ClusterView) -> Iterator[tuple[str, list[str]]]:
    if view.workloads:
        yield "Workloads", list(build_workload_table(view))
    if view.pods:
        yield "Pods", list(build_pod_table(view))
    if view.services:
        yield "Services, as they are now", list(build_service_table(view))
    if view.autoscalers:
        yield (
            "Autoscalers, as they are now",
            [f"- {to_prose(describe_scale(one))}" for one in view.autoscalers],
        )
    if view.events:
        yield "Events", list(_events(view))


def build_workload_table(view: ClusterView) -> Iterator[str]:
    """Workloads with the revision and image of the window."""
    yield "| workload | ready now | revision of the window | image | reference |"
    yield "|---|---|---|---|---|"
    for one in view.workloads:
        workload = one.workload
        name = to_code(f"{workload.kind}/{workload.name}")
        yield (
            f"| {name} | {workload.ready} of {workload.wanted} | {_tell_revisions(one)} "
            f"| {_tell_images(one)} | {_tell_references(one)} |"
        )


def _tell_revisions(one: WorkloadView) -> str:
    told = [
        f"{stretch.revision.number if stretch.revision else 'not kept'} {to_code(stretch.name or 'unknown')} "
        f"{describe_since(stretch)}"
        for stretch in one.in_force
    ]
    current = one.workload.current
    if current is not None and all(current.name != stretch.name for stretch in one.in_force):
        told.append(f"**now {current.number}** {to_code(current.name)}")
    return "<br>".join([*told, *map(to_prose, one.notes)]) or "not known"


def _tell_images(one: WorkloadView) -> str:
    images = {image: "" for stretch in one.in_force for image in stretch.images}
    images |= {image: ", by the audit log" for stretch in one.in_force for image in stretch.told}
    images |= {image: "" for stretch in one.in_force if stretch.revision for image in stretch.images}
    return "<br>".join(f"{to_code(short_image(image))}{by}" for image, by in images.items()) or "not known"


def _tell_references(one: WorkloadView) -> str:
    references = dict.fromkeys(ref for stretch in one.in_force for ref in stretch.evidence)
    return "<br>".join(map(to_code, references)) or to_code(one.workload.ref)


def build_pod_table(view: ClusterView) -> Iterator[str]:
    """Pods of the window with what they ran and how they fared."""
    yield "| pod | state | restarts | image run | notes |"
    yield "|---|---|---|---|---|"
    for pod in view.pods:
        restarts = "?" if pod.restarts is None else str(pod.restarts)
        images = "<br>".join(to_code(short_image(image)) for image in pod.images) or "not known"
        yield f"| {to_code(pod.name)} | {to_prose(pod.state)} | {restarts} | {images} | {_tell_notes(pod)} |"


def _tell_notes(pod: PodView) -> str:
    told = [
        f"{format_clock(one.at_ns, 0)} {to_prose(describe_restart(one))} ({to_code(one.ref)})"
        for one in pod.restarted
    ]
    return "<br>".join([*told, *map(to_prose, pod.notes)])


def build_service_table(view: ClusterView) -> Iterator[str]:
    """Services with what stands behind them now."""
    yield "| service | kind | ports | affinity | endpoints |"
    yield "|---|---|---|---|---|"
    for one in view.services:
        ports = to_prose(", ".join(map(describe_port, one.ports)))
        yield (
            f"| {to_code(one.name)} | {to_prose(one.kind)} | {ports} | {to_prose(one.affinity)} "
            f"| {describe_endpoints(one)} |"
        )


def _events(view: ClusterView) -> Iterator[str]:
    yield "| last | reason | object | times | message |"
    yield "|---|---|---|---|---|"
    for event in view.events:
        last = "" if event.last_ns is None else describe_moment(event.last_ns)
        name = to_code(f"{event.kind}/{event.name}")
        yield f"| {last} | {to_prose(event.reason)} | {name} | {event.count} | {to_prose(event.text)} |"
