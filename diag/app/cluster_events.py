"""Events and changes that the cluster has forgotten, from the log service: it keeps them like every line."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.cluster import ClusterEvent, ClusterFacts
from diag.model.cluster_change import ClusterChange
from diag.model.instants import NS_PER_S
from diag.model.queries import LastingSource, LogQuery, LogSource
from diag.model.records import LogRecord
from diag.model.settings import Settings
from diag.model.window import MINUTE_NS, Window

_KEPT_NS = 55 * MINUTE_NS
"""A cluster keeps its events for an hour."""

_BEFORE_NS = 24 * 60 * MINUTE_NS
"""A return to an old revision is known by its event alone, and holds until the next."""

_AFTER_NS = 60 * NS_PER_S
_MOST_PAGES = 5
_WHOSE = "changes of several clusters were left out: --cluster and --location name the one that is meant"

Place = tuple[str, str, str]
"""Project, location and name of a cluster."""


def ask_for_events(window: Window | None, now_ns: int) -> LogQuery | None:
    """For what happened in the window, and a day before it; None where the cluster itself still knows."""
    if window is None or window.start_ns > now_ns - _KEPT_NS:
        return None
    wider = Window(window.start_ns - _BEFORE_NS, max(window.start_ns, min(window.end_ns + _AFTER_NS, now_ns)))
    return LogQuery(wider, events=True, max_pages=_MOST_PAGES, what="the cluster's events")


@dataclass(frozen=True, slots=True)
class Logged:
    """What the log service kept of a cluster."""

    events: tuple[ClusterEvent, ...] = ()
    changes: tuple[ClusterChange, ...] = ()


def find_place(facts: ClusterFacts, settings: Settings) -> Place | None:
    """Of the cluster that was read, as far as the settings or its context name it."""
    from diag.sources.kube.context import name_cluster, read_place

    return name_cluster(settings) or read_place(facts.place)


async def read_logged_events(
    source: LogSource, window: Window | None, now_ns: int, place: Place | None = None
) -> Logged:
    """The answer; what could not be read stands in the source's coverage.

    Of several clusters those of the one at `place`. Where nobody knows which one is read, changes are left
    out: another one's deployment would look like one that was deleted here.
    """
    query = ask_for_events(window, now_ns)
    if query is None:
        return Logged()
    from diag.sources.kube.audit import is_audit_line, to_changes
    from diag.sources.kube.belonging import are_of_one, keep_own
    from diag.sources.kube.events import to_logged_events

    records: list[LogRecord] = []
    async for batch in source.read(query):
        records += batch
    if place is not None:
        records = keep_own(records, place)
    changes = [one for one in records if is_audit_line(one)]
    events = [one for one in records if not is_audit_line(one)]
    if not are_of_one(changes):
        changes = []
        if isinstance(source, LastingSource):
            source.note(_WHOSE)
    return Logged(tuple(to_logged_events(events)), tuple(to_changes(changes)))
