"""Events of a window, from the cluster's API and from the log service, each once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from diag.model.cluster import SLUG, ClusterEvent
from diag.model.window import Window

_Identity = tuple[str, str, str, str, str]


def join_events(*sources: Iterable[ClusterEvent]) -> tuple[ClusterEvent, ...]:
    """All of them, oldest first. What both tell is one event, the cluster's own, which counts."""
    once: dict[tuple[_Identity, str, int | None], ClusterEvent] = {}
    counted = defaultdict[_Identity, list[ClusterEvent]](list)
    for event in sorted((one for source in sources for one in source), key=_by_source):
        identity = _identify(event)
        if event.source != SLUG and any(_is_counted(event, other) for other in counted[identity]):
            continue
        first = once.setdefault((identity, event.source, event.last_ns), event)
        if first is event and event.source == SLUG:
            counted[identity].append(event)
    return tuple(sorted(once.values(), key=_by_time))


def find_in_window(events: Iterable[ClusterEvent], window: Window | None) -> Iterator[ClusterEvent]:
    """Those that happened in the window, once at least: what has a first and a last time spans both."""
    for event in events:
        first = event.last_ns if event.first_ns is None else event.first_ns
        last = first if event.last_ns is None else event.last_ns
        if (
            window is None
            or first is None
            or last is None
            or (first < window.end_ns and window.start_ns <= last)
        ):
            yield event


def _identify(event: ClusterEvent) -> _Identity:
    return event.kind, event.namespace, event.name, event.reason, event.text


def _is_counted(event: ClusterEvent, kept: ClusterEvent) -> bool:
    """Whether it is one of the times that the cluster counts: the log service has an entry for each."""
    if event.last_ns is None or kept.last_ns is None:
        return False
    first = kept.last_ns if kept.first_ns is None else kept.first_ns
    return first <= event.last_ns <= kept.last_ns


def _by_source(event: ClusterEvent) -> tuple[bool, int]:
    return event.source != SLUG, event.last_ns or 0


def _by_time(event: ClusterEvent) -> tuple[int, str, str, str]:
    return event.last_ns or 0, event.kind, event.name, event.reason
