"""How probes, ports, images and the like are said in a line, on a terminal and in a report."""

from __future__ import annotations

from diag.model.cluster import Autoscaler, Service
from diag.model.cluster_view import InForce, LogExport, Restart
from diag.model.containers import Port, Probe
from diag.model.instants import format_clock, format_day


def count(number: int, what: str) -> str:
    """``1 restart``, ``2 restarts``."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def describe_moment(ns: int) -> str:
    """A day and a time of day, UTC: ``23 Nov 08:05:46``. The year stands in the head."""
    return f"{format_day(ns)[:-5]} {format_clock(ns, 0)}"


def describe_since(stretch: InForce) -> str:
    """When a revision was in force."""
    sure = "" if stretch.certain else ", as far as is known"
    if stretch.since_ns is None:
        until = "" if stretch.until_ns is None else f" until {describe_moment(stretch.until_ns)}"
        return f"in force{until or ', nobody tells since when'}{sure if until else ''}"
    until = "" if stretch.until_ns is None else f" to {_end(stretch.since_ns, stretch.until_ns)}"
    return f"{'from' if until else 'since'} {describe_moment(stretch.since_ns)}{until}{sure}"


def _end(since_ns: int, until_ns: int) -> str:
    """The day of the end only where it is another."""
    same = format_day(since_ns) == format_day(until_ns)
    return format_clock(until_ns, 0) if same else describe_moment(until_ns)


def describe_probe(probe: Probe) -> str:
    """``liveness http :8080/healthz every 10 s, 3 failures``."""
    where = f" :{probe.port}{probe.path}" if probe.port else ""
    delay = f", after {probe.delay_s} s" if probe.delay_s else ""
    failures = count(probe.failures, "failure")
    return f"{probe.role} {probe.handler}{where} every {probe.period_s} s, {failures}{delay}"


def describe_port(port: Port) -> str:
    """``8080`` or ``80->8080``; another protocol than TCP is named."""
    target = "" if port.target in ("", str(port.number)) else f"->{port.target}"
    return f"{port.number}{target}{'' if port.protocol == 'TCP' else f'/{port.protocol}'}"


def describe_endpoints(one: Service) -> str:
    """How many stand behind a service."""
    behind = one.endpoints
    if behind is None:
        return "endpoints not read"
    more = f", {behind.not_ready} not" if behind.not_ready else ""
    leaving = f", {behind.terminating} leaving" if behind.terminating else ""
    return f"{behind.ready} ready{more}{leaving}"


def describe_scale(one: Autoscaler) -> str:
    """``orchestrator 1 to 3: 1 now, 2 wanted (TooFewReplicas)``."""
    limited = f" ({one.limited})" if one.limited else ""
    return f"{one.target} {one.least} to {one.most}: {one.current} now, {one.desired} wanted{limited}"


def describe_restart(restart: Restart) -> str:
    """How a container ended before it was started again."""
    code = "" if restart.exit_code is None else f", exit {restart.exit_code}"
    return f"{restart.container} ended: {restart.reason or 'no reason told'}{code}"


def describe_export(export: LogExport) -> str:
    """Whether logs go to Cloud Logging, and how that is known."""
    sure = ", as it seems" if export.inferred else ""
    return f"log export {export.state.value}{sure}: {export.note}"


def short_image(image: str) -> str:
    """An image with the beginning of its digest."""
    name, at, digest = image.partition("@")
    return f"{name}{at}{digest[:19]}.." if digest else name
