"""Records as something to look up."""

from __future__ import annotations

from diag.model.findings import Evidence
from diag.model.records import KafkaRecord


def record_to_evidence(record: KafkaRecord) -> Evidence:
    """Where it lies, how large it is, and under which key."""
    return Evidence(record.time_ns, record.ref, "kafka", f"record of {record.size} bytes, key {record.key}")
