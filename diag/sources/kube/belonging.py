"""Which entries about clusters are of the one that is read: a log service holds those of all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from diag.model.records import LogRecord
from diag.sources.kube.fields import text_at

_LABELS = ("project_id", "location", "cluster_name")

Place = tuple[str, str, str]
"""Project, location and name of a cluster."""


def keep_own(records: Iterable[LogRecord], place: Place) -> list[LogRecord]:
    """Those that do not say that they are of another cluster than the one at `place`."""
    return [one for one in records if _agrees(_of(one), place)]


def _agrees(told: Sequence[str], place: Place) -> bool:
    return all(one in ("", ours) for one, ours in zip(told, place, strict=True))


def are_of_one(records: Sequence[LogRecord]) -> bool:
    """Whether all of them name the same cluster."""
    return len(set(map(_of, records))) < 2


def _of(record: LogRecord) -> tuple[str, ...]:
    return tuple(text_at(record.data, "resource", "labels", name) for name in _LABELS)
