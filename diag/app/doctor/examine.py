"""Every probe that there is, with what it needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diag
from diag.app.discovery import discover_settings
from diag.app.doctor.blueprint import BlueprintProbes
from diag.app.doctor.broker import BrokerProbes
from diag.app.doctor.google import GoogleProbes
from diag.app.doctor.here import examine_settings, examine_terminal
from diag.app.doctor.kubernetes import MOST_S, KubernetesProbe
from diag.app.doctor.side_by_side import Probe, ask_side_by_side
from diag.config import load_settings
from diag.errors import DiagError
from diag.model.checkup import Answer, Checkup, Health, TerminalFacts

_NO_SENSE = Answer(Health.NOT_ASKED, "Kubernetes: settings that have no sense name no cluster")


@dataclass(frozen=True, slots=True)
class DoctorRequest:
    """What is to be examined.

    Attributes:
        flags: dotted setting -> what its flag says.
        file: the settings file, if one is named.
        now_ns: the time of asking.
    """

    flags: Mapping[str, Any]
    environment: Mapping[str, str]
    file: Path | None
    terminal: TerminalFacts
    now_ns: int


def examine(request: DoctorRequest) -> Checkup:
    """Try everything side by side. Nothing is raised: what does not work is an answer."""
    probes = [
        Probe("settings", lambda: examine_settings(request.flags, request.environment, request.file)),
        *_list_sources(request),
        Probe("terminal", lambda: examine_terminal(request.terminal)),
    ]
    answers, unfinished = ask_side_by_side(probes)
    return Checkup(answers, diag.__version__, unfinished)


def _list_sources(request: DoctorRequest) -> Iterator[Probe]:
    """What is asked of the sources; nothing where the settings that name them have no sense."""
    try:
        named = load_settings(request.flags, request.environment, request.file)
    except DiagError:  # the probe of the settings tells what is wrong, and all of it
        yield Probe("kubernetes", lambda: _NO_SENSE)
        return
    settings, excused = discover_settings(named), not named.logging.project
    google, broker = GoogleProbes(settings, request.now_ns), BrokerProbes(settings, request.now_ns)
    yield Probe("credentials", google.credentials, within_s=12, excused=excused)
    several = len(settings.logging.resources)
    yield Probe(
        "log-entries", google.entries, within_s=10.0 * max(1, several), after="credentials", excused=excused
    )
    yield Probe("log-export", google.export, within_s=20, after="log-entries", excused=excused)
    yield Probe("clock", google.clock, after="log-entries")
    yield Probe("kafka", broker.reach)
    yield Probe("kafka-rights", broker.rights, within_s=20, after="kafka")
    cluster = KubernetesProbe(settings, request.now_ns)
    yield Probe("kubernetes", cluster.objects, within_s=MOST_S, excused=not settings.kubernetes.is_named)
    meant = BlueprintProbes(settings)
    yield Probe("repository", meant.repository, within_s=20)
    yield Probe("manifests", meant.manifests, within_s=20)
