"""Events of the cluster: as its API tells them, and as its exporter writes them into the log service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from diag.model.cluster import SLUG, ClusterEvent
from diag.normalise import redact_text
from diag.sources.kube.fields import Object, instant_at, number_at, text_at


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
