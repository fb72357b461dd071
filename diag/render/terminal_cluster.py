"""The cluster in the terminal view of one session: a line for each workload, more only where it ailed."""

from __future__ import annotations

from collections.abc import Iterator

from rich.text import Text

from diag.model.cluster_view import ClusterView, Export, PodView, WorkloadView
from diag.model.instants import format_clock
from diag.render.cluster_words import count, describe_export, describe_restart, describe_since, short_image
from diag.render.neutral import shorten, to_plain

WIDTH = 80
_NAMED = 22


def cluster_lines(view: ClusterView | None) -> Iterator[Text]:
    """What the services were while the session ran; nothing where the cluster was not read."""
    if view is None or not view.workloads:
        return
    yield Text("CLUSTER", style="bold").append(
        "   while the session ran, and a minute around it", style="not bold dim"
    )
    for one in view.workloads:
        yield from _workload_lines(one)
    if view.export is not None and view.export.state is Export.OFF:
        yield Text(f"  {_fit(describe_export(view.export), WIDTH - 2)}", style="red")
    warnings = sum(event.warning for event in view.events)
    if warnings:
        yield Text(f"  {count(warnings, 'warning')} of the cluster in that time: diag cluster shows them")


def _workload_lines(one: WorkloadView) -> Iterator[Text]:
    well = sum(pod.well for pod in one.pods)
    ill = [pod for pod in one.pods if not pod.well and pod.pod is not None]
    images = one.in_force[0].images if one.in_force else ()
    image = short_image(images[0]) if images else "image not known"
    image += ", by the audit log" if one.in_force and one.in_force[0].is_told_alone else ""
    name = f"{_fit(one.workload.name, _NAMED - 2):<{_NAMED}}"
    state = f"{well} of {count(len(one.pods), 'pod')} ready"
    yield (
        Text("  ")
        .append(name)
        .append(f"{state:<20}", style="red" if ill or not well else "green")
        .append(_fit(image, WIDTH - _NAMED - 22))
    )
    for stretch in one.in_force[1:]:
        told = f"    meanwhile {stretch.name or 'another revision'}, {describe_since(stretch)}"
        yield Text(_fit(told, WIDTH, keep=4), style="yellow")
    current = one.workload.current
    if current is not None and one.in_force and one.in_force[-1].name != current.name:
        yield Text(_fit(f"    since replaced by revision {current.number}, {current.name}", WIDTH, keep=4))
    for pod in ill:
        yield from _ill_lines(pod)


def _ill_lines(pod: PodView) -> Iterator[Text]:
    yield Text(_fit(f"    {pod.name}: {pod.state}", WIDTH, keep=4), style="red")
    for one in pod.restarted:
        told = f"      {format_clock(one.at_ns, 0)} {describe_restart(one)}"
        yield Text(_fit(told, WIDTH, keep=6), style="red")


def _fit(text: str, most: int, keep: int = 0) -> str:
    """Plain, cut, with its first `keep` spaces."""
    return " " * keep + shorten(to_plain(text), most - keep)
