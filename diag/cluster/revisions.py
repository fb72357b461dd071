"""Which revision of a workload was in force in a window: what ran then, not what runs now.

A replica set comes into force when it is made. A return to an old one (``kubectl rollout undo``) makes none:
only the event that it was scaled up, that the one before it was scaled down to nothing, or pods that it made
later tell when that was. Of a replica set that is gone the audit log may tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from diag.cluster.changes import Start, find_made, find_orders, find_unmatched, made_by, to_starts
from diag.model.cluster import ClusterEvent, Pod, Revision, Workload
from diag.model.cluster_change import ClusterChange
from diag.model.cluster_view import InForce
from diag.model.window import Window

_SCALED_TO_NOTHING = re.compile(r"Scaled down replica set (\S+)(?: from \d+)? to 0\b")
_SCALED_UP = re.compile(r"Scaled up replica set (\S+)(?: from (\d+))? to (\d+)")


def find_in_force(
    workload: Workload,
    window: Window | None,
    events: Iterable[ClusterEvent],
    pods: Iterable[Pod],
    changes: Sequence[ClusterChange] = (),
) -> tuple[InForce, ...]:
    """The revisions that were in force in the window, oldest first; without a window the one of now.

    Args:
        workload: with all revisions that are kept of it.
        window: when.
        events: of every kind and time.
        pods: of every kind.
        changes: of the audit log, of every kind and time.
    """
    known = {revision.name: revision for revision in workload.revisions}
    made, orders = find_made(workload, changes), find_orders(workload, changes)
    told = {one.name: one for one in made}
    gone = to_starts(workload, made)
    starts = sorted({*_made(workload), *_scaled(workload, events), *_first_pods(workload, pods), *gone})
    starts += _find_return(workload, starts, events)
    starts = sorted((*starts, *find_unmatched(workload, starts, orders, told)))
    stretches = _to_stretches(_merge(starts), known, workload)
    stretches = tuple(_complete(one, orders, told) for one in stretches)
    if window is None:
        return stretches[-1:]
    found = tuple(
        one
        for one in stretches
        if (one.until_ns is None or one.until_ns > window.start_ns)
        and (one.since_ns is None or one.since_ns < window.end_ns)
    )
    return found or _before_all(workload, stretches)


def _made(workload: Workload) -> Iterator[Start]:
    for revision in workload.revisions:
        if revision.created_ns is not None:
            yield Start(
                revision.created_ns, False, revision.name, f"{_ref_of(workload, revision.name)}:created"
            )


def _scaled(workload: Workload, events: Iterable[ClusterEvent]) -> Iterator[Start]:
    """A replica set that goes up from nothing; on from one is the rest of the same rollout."""
    for event in _events_of(workload, events):
        said = _SCALED_UP.match(event.text)
        if said is not None and said[2] in (None, "0") and event.first_ns is not None:
            yield Start(event.first_ns, True, said[1], event.ref)


def _find_return(
    workload: Workload, starts: Sequence[Start], events: Iterable[ClusterEvent]
) -> Iterator[Start]:
    """A revision that came back while its pods still ran is not scaled up: the other one goes to nothing.

    A pod that it has made since then, when one was deleted, tells only that it was back by that time.
    """
    current = workload.current
    others = [start for start in starts if current is None or start.name != current.name]
    if current is None or not current.returned or not others:
        return
    last = others[-1]
    if any(start.by_event for start in starts[starts.index(last) + 1 :]):
        return
    for event in _events_of(workload, events):
        said = _SCALED_TO_NOTHING.match(event.text)
        if said is not None and said[1] == last.name and (event.first_ns or 0) >= last.at_ns:
            yield Start(event.first_ns or 0, True, current.name, event.ref)
            return


def _events_of(workload: Workload, events: Iterable[ClusterEvent]) -> Iterator[ClusterEvent]:
    own = workload.kind, workload.namespace, workload.name
    return (event for event in events if (event.kind, event.namespace, event.name) == own)


def _first_pods(workload: Workload, pods: Iterable[Pod]) -> Iterator[Start]:
    """Of revisions that were returned to: their own time is the one of their first coming."""
    for revision in workload.revisions:
        made = [pod for pod in pods if pod.revision == revision.name and pod.created_ns is not None]
        if revision.returned and made:
            first = min(made, key=lambda pod: pod.created_ns or 0)
            yield Start(first.created_ns or 0, False, revision.name, f"{first.ref}:created")


def _merge(starts: Sequence[Start]) -> Iterator[Start]:
    """Starts of one revision in a row are one: the first of them."""
    for place, start in enumerate(starts):
        before = starts[place - 1]
        if not place or (before.name or before.told) != (start.name or start.told):
            yield start


def _to_stretches(
    starts: Iterable[Start], known: dict[str, Revision], workload: Workload
) -> tuple[InForce, ...]:
    rows = list(starts)
    ends = [*(start.at_ns for start in rows[1:]), None]
    stretches = [
        InForce(
            start.name,
            known.get(start.name),
            start.at_ns,
            end,
            certain=start.sure and all(one.sure for one in rows[place + 1 : place + 2]),
            evidence=(start.ref,),
            told=start.told,
        )
        # without a start there is one end too many
        for place, (start, end) in enumerate(zip(rows, ends, strict=False))
    ]
    current = workload.current
    if current is None:
        return tuple(stretches)
    if not stretches:
        return (InForce(current.name, current, None, certain=False),)
    if stretches[-1].name != current.name:  # it came back some time after the last, and nothing tells when
        last = stretches[-1]
        stretches[-1] = replace(last, certain=False)
        stretches.append(InForce(current.name, current, last.since_ns, certain=False))
    return tuple(stretches)


def _complete(
    stretch: InForce, orders: Iterable[ClusterChange], told: Mapping[str, ClusterChange]
) -> InForce:
    """With who ordered it, and with the images that the audit log has of one that is gone."""
    start = Start(stretch.since_ns or 0, True, stretch.name, "")
    ordered = (one.ref for one in orders if stretch.since_ns is not None and made_by(one, start))
    evidence = tuple(dict.fromkeys((*stretch.evidence, *ordered)))
    made = told.get(stretch.name)
    return replace(stretch, evidence=evidence, told=made.images if made else stretch.told)


def _before_all(workload: Workload, stretches: Sequence[InForce]) -> tuple[InForce, ...]:
    """The window is older than all that is known: what ran then was replaced, or there was nothing."""
    made = workload.created_ns
    first = stretches[0].since_ns if stretches else None
    if first is None or (made is not None and made >= first):
        return ()
    return (InForce("", None, None, first, certain=False),)


def _ref_of(workload: Workload, revision: str) -> str:
    kind = "replicaset" if workload.kind == "deployment" else "controllerrevision"
    return f"{kind}/{workload.namespace}/{revision}"
