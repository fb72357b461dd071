"""Events of the cluster: as its API tells them, and as its exporter writes them into the log service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from diag.model.cluster import SLUG, ClusterEvent
from diag.model.records import LogRecord
from diag.normalise import redact_text
from diag.sources.kube.fields import Object, dig, instant_at, number_at, text_at


def to_events(events: Iterable[Object]) -> Iterator[ClusterEvent]:
    """Events of either API: the older one counts in the event itself, the newer one in a series."""
    for one in events:
        last = (
            instant_at(one, "series", "lastObservedTime")
            or instant_at(one, "lastTimestamp")
            or instant_at(one, "eventTime")
            or instant_at(one, "metadata", "creationTimestamp")
        )
        namespace, name = text_at(one, "metadata", "namespace"), text_at(one, "metadata", "name")
        yield ClusterEvent(
            warning=text_at(one, "type") == "Warning",
            reason=redact_text(text_at(one, "reason")),
            kind=text_at(one, "involvedObject", "kind").lower(),
            namespace=text_at(one, "involvedObject", "namespace") or namespace,
            name=text_at(one, "involvedObject", "name"),
            text=redact_text(text_at(one, "message")),
            count=max(1, number_at(one, "count"), number_at(one, "series", "count")),
            first_ns=instant_at(one, "firstTimestamp") or instant_at(one, "eventTime") or last,
            last_ns=last,
            source=SLUG,
            ref=f"event/{namespace}/{name}",
        )


def to_logged_events(records: Iterable[LogRecord]) -> Iterator[ClusterEvent]:
    """Events as the log service keeps them: an entry for each time, without count and first time."""
    for record in records:
        entry = {} if isinstance(record.data, str) else record.data
        at_ns = instant_at(entry, "timestamp")
        for event in to_events([dig(entry, "jsonPayload") or {}]):
            ref = f"{event.name}@{text_at(entry, 'timestamp')}#{text_at(entry, 'insertId')}"
            yield replace(event, count=1, first_ns=at_ns, last_ns=at_ns, source=record.source, ref=ref)
