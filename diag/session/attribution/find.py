"""The lines of one session among those that name none, by each way in which the catalogue attributes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from diag.model.events import Event
from diag.model.session import JOINED, Attribution, Session
from diag.session.attribution.adjacent import find_partners
from diag.session.attribution.around import Finder, read_around
from diag.session.attribution.running import Running
from diag.session.attribution.scene import OWN, Scene, find_bindings, place_of, sessions_in
from diag.session.attribution.spans import find_spans

CONNECTION = "connection"
POD = "pod"

_Group = tuple[str, str, str]
"""Place, rule and message: lines of two kinds may stand behind one landmark."""


def find_attributed(
    session: Session, finder: Finder, *, sees_others: bool = True
) -> tuple[tuple[Attribution, ...], int]:
    """What is taken for the session's own though it names no session, by time; and how many were too many.

    `sees_others`: the other sessions' lines were read as well; else everything is ambiguous.
    """
    own = tuple(sorted((event for event in session.events if event.time_ns), key=_in_time))
    if not own:
        return (), 0
    hubs = frozenset(one.identifier.text for one in session.candidates if one.score >= JOINED)
    orders = frozenset(event.entry.order for event in own)
    around = read_around(Scene(session.members, orders, own, session.clocks), hubs, finder)
    if not around.bare and not around.shared:
        return (), around.too_many
    by_order = {one.entry.order: one for one in (*own, *around.bare, *around.shared, *around.landmarks)}
    scene = Scene(
        session.members,
        orders,
        tuple(sorted(by_order.values(), key=_in_time)),
        session.clocks,
        find_bindings(by_order.values(), hubs, session.members),
        sees_others and around.sees_others,
    )
    found = {one.event.entry.order: one for one in _attribute(scene, around.bare, around.shared)}

    def by_adjusted_time(one: Attribution) -> tuple[int, str, str]:
        time_ns, message, ref = _in_time(one.event)
        return session.clocks.adjust(one.event.entry) or time_ns, message, ref

    return tuple(sorted(found.values(), key=by_adjusted_time)), around.too_many


def _in_time(event: Event) -> tuple[int, str, str]:
    """Whatever the order in which lines of one time were read."""
    return event.time_ns, event.entry.message, event.entry.ref


def _attribute(scene: Scene, bare: Iterable[Event], shared: Iterable[Event]) -> Iterator[Attribution]:
    running = Running(scene, find_spans(scene))
    beside: defaultdict[_Group, list[Event]] = defaultdict(list)
    pods: list[Event] = []
    for line in bare:
        word = line.attributed.partition(":")[0]
        if word in ("before", "after"):
            beside[place_of(line.entry), line.attributed, line.entry.message].append(line)
        elif word == POD:
            pods.append(line)
        elif one := running.attribute(line):
            yield one
    yield from _attribute_beside(scene, beside)
    yield from _attribute_to_pod(scene, pods)
    yield from _attribute_shared(scene, shared)


def _attribute_beside(scene: Scene, beside: Mapping[_Group, list[Event]]) -> Iterator[Attribution]:
    marks: defaultdict[tuple[str, str], list[Event]] = defaultdict(list)
    for event in scene.lines if beside else ():
        if scene.owner_of(event) is not None:
            marks[place_of(event.entry), event.name].append(event)
    for (place, rule, _), lines in beside.items():
        word, _, name = rule.partition(":")
        for line, partners in find_partners(lines, marks[place, name], before=word == "before"):
            own = [one for one in partners if scene.owner_of(one) == OWN]
            # steps alike are steps of two turns; steps of two kinds may be of one
            repeated = len({one.entry.message for one in own}) < len(own)
            if own:
                yield Attribution(line, rule, repeated or len(own) < len(partners) or not scene.sees_others)


def _attribute_to_pod(scene: Scene, lines: list[Event]) -> Iterator[Attribution]:
    """What befalls a process befalls each session that it serves."""
    if not lines:
        return
    owners: defaultdict[str, set[str]] = defaultdict(set)
    own = [event.time_ns for event in scene.lines if event.entry.order in scene.own]
    first, last = own[0], own[-1]
    for event in scene.lines:
        if (
            event.entry.pod
            and first <= event.time_ns <= last
            and (owner := scene.owner_of(event)) is not None
        ):
            owners[event.entry.pod].add(owner)
    for line in lines:
        served = owners[line.entry.pod]
        if OWN in served and first <= line.time_ns <= last:
            yield Attribution(line, POD, len(served) > 1 or not scene.sees_others)


def _attribute_shared(scene: Scene, lines: Iterable[Event]) -> Iterator[Attribution]:
    """By whom the connection stood for when the line was written."""
    for line in lines:
        if line.entry.order in scene.own or sessions_in(line.entry) or scene.owner_of(line) != OWN:
            continue
        users = (scene.bindings[text] for text in line.entry.ids_in("connection") if text in scene.bindings)
        ambiguous = any(one.others_at(line.time_ns) for one in users)
        yield Attribution(line, CONNECTION, ambiguous or not scene.sees_others)
