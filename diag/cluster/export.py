"""Whether logs are exported, where nobody tells: live pods that wrote nothing suggest that they are not."""

from __future__ import annotations

from diag.model.cluster import ClusterFacts
from diag.model.cluster_view import Export, LogExport


def infer_export(told: LogExport, facts: ClusterFacts, entries: int) -> LogExport:
    """What was told; else, from the entries of the window and the pods that run: a suspicion, no more."""
    if told.state is not Export.UNKNOWN:
        return told
    if entries:
        note = f"{entries} entries of its containers are there ({told.note})"
        return LogExport(Export.ON, inferred=True, note=note)
    running = sum(pod.phase == "Running" for pod in facts.pods)
    if not running:
        return told
    plural = "pods run and none has" if running > 1 else "pod runs and has not"
    note = f"{running} {plural} an entry in Cloud Logging ({told.note})"
    return LogExport(Export.OFF, inferred=True, note=note)
