"""What is meant to run, by the manifests, and how the cluster differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from diag.model.containers import Container
from diag.model.coverage import State
from diag.model.diagnosis import Diagnosis
from diag.model.manifests import Difference, Manifest
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.markdown.statements import COVERAGE, Statement
from diag.render.neutral import to_code, to_prose

_MOST_ROWS = 60


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """One workload of the files."""

    name: str
    replicas: str
    images: str
    probes: str
    variables: str
    where: str


@dataclass(frozen=True, slots=True)
class DifferenceRow:
    """One difference between file and cluster."""

    name: str
    what: str
    wanted: str
    live: str
    evidence: str


@dataclass(frozen=True, slots=True)
class ManifestTables:
    """Both tables; `missing` says why there is nothing, `not_compared` what was left out and why."""

    missing: str
    rows: tuple[ManifestRow, ...] = ()
    compared: str = ""
    differences: tuple[DifferenceRow, ...] = ()
    not_compared: tuple[str, ...] = ()


def explain_missing(diagnosis: Diagnosis) -> str:
    """Why nothing can be said of the manifests."""
    source = diagnosis.coverage.find("manifests")
    if source is None or source.state is State.NOT_ASKED:
        return "*not checked: no manifests were named (`--manifests`)*"
    return f"*not checked: {to_prose(source.notes[0] if source.notes else 'they were not read')}*"


def build_manifest_tables(diagnosis: Diagnosis, index: EvidenceIndex) -> ManifestTables:
    """What the section "Current Deployment Configuration" says of files."""
    files, drift = diagnosis.manifests, diagnosis.drift
    if files is None:
        return ManifestTables(explain_missing(diagnosis))
    scalers = {one.target: one for one in files.objects if one.target}
    rows = tuple(_to_row(one, scalers) for one in files.workloads[:_MOST_ROWS])
    if drift is None:
        return ManifestTables("", rows, "*not compared: the cluster was not read*")
    return ManifestTables(
        "",
        rows,
        f"{drift.compared} objects of the files were compared with the cluster as it is now",
        tuple(_to_difference(one, index) for one in drift.differences[:_MOST_ROWS]),
        tuple(f"{to_code(name)}: {to_prose(why)}" for name, why in drift.not_compared[:_MOST_ROWS]),
    )


def describe_read(diagnosis: Diagnosis) -> str:
    """What the section "Files Verified" says."""
    source = diagnosis.coverage.find("manifests")
    return to_prose(source.got) if source else ""


def state_drift(diagnosis: Diagnosis, index: EvidenceIndex) -> Iterator[Statement]:
    """One statement of "GKE deployment status": the cluster runs what the files ask for."""
    claim, drift = "the cluster has what the manifests ask for", diagnosis.drift
    if drift is None:
        missing = explain_missing(diagnosis) if diagnosis.manifests is None else ""
        yield Statement("", claim, missing or "*not checked: Kubernetes was not read*")
    elif drift.differences:
        evidence = index.cite(e for one in drift.differences for e in one.to_evidence())
        number = len(drift.differences)
        yield Statement(
            "", claim, f"**no**: {number} {'difference' if number == 1 else 'differences'}", evidence
        )
    elif drift.compared:
        yield Statement("", claim, f"yes, {drift.compared} objects were compared as they are now", COVERAGE)
    else:
        yield Statement("", claim, "*not checked: no object of the files could be compared*")


def _to_row(one: Manifest, scalers: Mapping[str, Manifest]) -> ManifestRow:
    boxes = one.containers
    return ManifestRow(
        name=to_code(f"{one.kind}/{one.name}")
        + (f" *patched by {to_code(one.patched_by)}*" if one.patched_by else ""),
        replicas=_tell_replicas(one, scalers.get(f"{one.kind}/{one.name}")),
        images=", ".join(to_code(box.image) for box in boxes) or "-",
        probes=", ".join(_tell_probes(box) for box in boxes) or "-",
        variables=", ".join(to_code(name) for box in boxes for name in box.variables) or "-",
        where=to_code(one.ref),
    )


def _tell_replicas(one: Manifest, scaler: Manifest | None) -> str:
    """As the file says; one where it says nothing, unless an autoscaler of the files has a say."""
    if scaler is not None:
        return f"{scaler.least or 1} to {scaler.most or '?'} ({to_code(scaler.ref)})"
    return "1 (not said)" if one.replicas is None else str(one.replicas)


def _tell_probes(box: Container) -> str:
    told = ", ".join(f"{one.role} {one.handler} {one.path or ''}".strip() for one in box.probes)
    return to_code(told) if told else "*none*"


def _to_difference(one: Difference, index: EvidenceIndex) -> DifferenceRow:
    return DifferenceRow(
        name=to_code(f"{one.kind}/{one.name}"),
        what=to_prose(f"{one.what}: {one.note}" if one.note else one.what),
        wanted=to_code(one.wanted) if one.wanted else "-",
        live=to_code(one.live) if one.live else "-",
        evidence=index.cite(one.to_evidence()),
    )
