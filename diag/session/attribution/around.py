"""What of all that was read may bear on one session's lines without an ID: near its own, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from diag.model.catalogue import STAGES, Meaning
from diag.model.events import Event
from diag.session.attribution.adjacent import NEAR_NS
from diag.session.attribution.running import CLOCKS_DIFFER_NS
from diag.session.attribution.scene import BINDING_EVENTS, Scene, is_bare, sessions_in
from diag.session.attribution.spans import LONGEST_NS, REQUEST, REQUEST_EVENTS, STAGE_EVENTS, find_spans

RUN_EVENTS = (*STAGE_EVENTS, *REQUEST_EVENTS, *BINDING_EVENTS, "ws.open", "ws.greeting", "ws.close")
"""What tells when another session's stages and requests ran."""

PLACING_EVENTS = ("whip.session", "ws.bind", "turn.trigger", "turn.start", "media.publish", "kafka.buffer")
"""What tells that a pod serves another session."""

MOST_LINES = 20_000
"""More lines of one kind around one session, and those beyond are not looked at."""

MOST_LANDMARKS = 20_000
"""More steps of other sessions, and they are not told apart: everything is ambiguous."""

Stretches = list[tuple[int, int]]
_ByRule = tuple[Callable[[Meaning], bool], Stretches]


class Finder(Protocol):
    """What is asked of the entries that were read."""

    def saying(
        self,
        is_sought: Callable[[Meaning], bool],
        stretches: Iterable[tuple[int, int]],
        most: int,
        *,
        unnamed: bool = False,
    ) -> tuple[tuple[Event, ...], int]:
        """The lines whose meaning is sought, in stretches that lie apart; and how many were too many."""

    def mentioning(self, ids: frozenset[str]) -> tuple[Event, ...]:
        """The lines that mention one of `ids`."""


@dataclass(slots=True)
class Around:
    """What stands around a session.

    Attributes:
        bare: lines without a session that the catalogue attributes somehow.
        shared: lines of the connections that it shares with others.
        landmarks: other sessions' steps; its own may be among them.
        too_many: lines that were not looked at.
        sees_others: all landmarks were.
    """

    bare: list[Event]
    shared: tuple[Event, ...]
    landmarks: list[Event]
    too_many: int = 0
    sees_others: bool = True


def read_around(alone: Scene, hubs: frozenset[str], finder: Finder) -> Around:
    """Ask for what `alone`, the session by itself, leaves open."""
    shared = _lines_of_shared(alone, hubs, finder)
    around = Around([], shared[:MOST_LINES], [], _count_unnamed(shared[MOST_LINES:]))
    running, beside, whole = _running(alone), _beside(alone), [_span_of(alone)]
    for is_sought, stretches in _kinds(running, beside, whole):
        lines, too_many = finder.saying(is_sought, stretches, MOST_LINES, unnamed=True)
        around.bare += (one for one in lines if is_bare(one.entry, hubs))
        around.too_many += too_many
    rules = {one.attributed for one in around.bare}
    names = {rule.partition(":")[2] for rule in rules if rule.startswith(("before", "after"))}
    before = _merge((start - LONGEST_NS, end) for one in running.values() for start, end in one)
    for wanted, stretches in (
        (RUN_EVENTS, before if any(rule.startswith(("stage", REQUEST)) for rule in rules) else []),
        (names, beside if names else []),
        (PLACING_EVENTS, whole if "pod" in rules else []),
    ):
        # its own steps may be among them, and are no reason to see less of the others
        most = MOST_LANDMARKS + len(alone.lines)
        marks, unseen = finder.saying(_is_any_of(frozenset(wanted)), stretches, most)
        around.landmarks += marks
        around.sees_others = around.sees_others and not unseen
    return around


def _count_unnamed(lines: Iterable[Event]) -> int:
    return sum(not sessions_in(one.entry) for one in lines)


def _kinds(running: dict[str, Stretches], beside: Stretches, whole: Stretches) -> Iterator[_ByRule]:
    for kind, stretches in running.items():
        yield _is_attributed(REQUEST if kind == REQUEST else f"stage:{kind}"), stretches
    yield _is_attributed("before:", "after:"), beside
    yield _is_attributed("pod"), whole


def _is_attributed(*rules: str) -> Callable[[Meaning], bool]:
    return lambda meaning: meaning.attributed.startswith(rules)


def _is_any_of(names: frozenset[str]) -> Callable[[Meaning], bool]:
    return lambda meaning: meaning.event in names


def _running(alone: Scene) -> dict[str, Stretches]:
    """Kind -> when the session's own ran, with what other pods' clocks may differ by."""
    spans = tuple(find_spans(alone))
    slack = CLOCKS_DIFFER_NS + max((abs(clock.shift_ns) for clock in alone.clocks.pods), default=0)
    return {
        kind: _merge((one.start_ns - slack, one.end_ns + slack) for one in spans if one.kind == kind)
        for kind in (*STAGES, REQUEST)
    }


def _beside(alone: Scene) -> Stretches:
    """Around the session's lines; so far that who stands next to whom is seen from a quiet moment on."""
    return _merge((one.time_ns - 8 * NEAR_NS, one.time_ns + 8 * NEAR_NS) for one in alone.lines)


def _span_of(alone: Scene) -> tuple[int, int]:
    return alone.lines[0].time_ns, alone.lines[-1].time_ns


def _merge(stretches: Iterable[tuple[int, int]]) -> Stretches:
    merged: Stretches = []
    for start, end in sorted(stretches):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _lines_of_shared(alone: Scene, hubs: frozenset[str], finder: Finder) -> tuple[Event, ...]:
    """The lines of the connections that the session shares, while it lasted."""
    sockets = hubs.intersection(text for one in alone.lines for text in one.entry.ids_in("connection"))
    if not sockets:
        return ()
    first, last = _span_of(alone)
    lines = (one for one in finder.mentioning(sockets) if first <= one.time_ns <= last)
    return tuple(sorted(lines, key=lambda one: one.time_ns))
