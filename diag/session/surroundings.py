"""What stands around sessions in a frame: other sessions' steps, and lines that name no session.

A minute of a busy system holds thousands of such lines, and each session needs few of them: where it
lacks a half, other sessions' halves; where an ID was lost, the lines that lost it. So they are indexed
once, by meaning and by ID, and cut by time for each session.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from diag.model.catalogue import Catalogue
from diag.model.events import Event
from diag.model.identifiers import is_lost

ANCHOR_EVENTS = (
    "whip.session", "whip.established", "ice.connected", "ws.open", "ws.bind", "ws.close", "id.missing",
    "audio.session", "turn.trigger", "turn.start", "proc.start", "proc.stop", "proc.exit", "proc.panic",
    "kafka.reader_start", "kafka.reader_stop",
)  # fmt: skip
"""What places a neighbour: enough to tell which half of a session it is."""

_COMPLAINT = "id.missing"

ToEvents = Callable[[list[int]], tuple[Event, ...]]
"""Rows of the frame -> their events."""


@dataclass(frozen=True, slots=True)
class Said:
    """One text that a service wrote, and each time at which it did."""

    message: str
    service: str
    times: Sequence[int]
    rows: Sequence[int]


@dataclass(frozen=True, slots=True)
class Mentioned:
    """One ID, and each time at which a line mentions it."""

    text: str
    times: Sequence[int]
    rows: Sequence[int]


@dataclass(slots=True)
class _Track:
    """Rows in order of time."""

    places: list[tuple[int, int]] = field(default_factory=list)

    def add(self, found: Said | Mentioned) -> None:
        self.places.extend(zip(found.times, found.rows, strict=True))

    def between(self, start_ns: int, end_ns: int) -> list[int]:
        first = bisect_left(self.places, (start_ns, -1))
        return [row for _, row in self.places[first : bisect_right(self.places, (end_ns + 1, -1))]]


class Surroundings:
    """The index of one frame's surroundings."""

    def __init__(
        self, said: Iterable[Said], mentioned: Iterable[Mentioned], catalogue: Catalogue, to_events: ToEvents
    ) -> None:
        self._to_events = to_events
        self._by_name: defaultdict[str, _Track] = defaultdict(_Track)
        self._by_id: defaultdict[str, _Track] = defaultdict(_Track)
        self._by_eras: defaultdict[tuple[str, frozenset[str]], _Track] = defaultdict(_Track)
        self._lost = _Track()
        for one in said:
            self._add_said(one, catalogue)
        for other in mentioned:
            self._by_id[other.text].add(other)
            if is_lost(other.text):
                self._lost.add(other)
        for track in (*self._by_name.values(), *self._by_id.values(), *self._by_eras.values(), self._lost):
            track.places.sort()

    def _add_said(self, said: Said, catalogue: Catalogue) -> None:
        known = catalogue.find(said.message, said.service)
        if known is None:
            return
        meaning, _ = known
        self._by_name[meaning.event].add(said)
        if meaning.event == _COMPLAINT:
            self._lost.add(said)
        if meaning.eras:
            side = catalogue.sides.get(said.service or meaning.service, "")
            self._by_eras[side, meaning.eras].add(said)

    def around(self, start_ns: int, end_ns: int, own: frozenset[int]) -> Around:
        """What stands in a stretch of time, but for the rows that are the session's `own`."""
        return Around(self, start_ns, end_ns, own)

    def find(self, tracks: Iterable[_Track], around: Around) -> tuple[Event, ...]:
        """The events of some tracks, each once, in order of time."""
        places = {row for track in tracks for row in track.between(around.start_ns, around.end_ns)}
        return self._to_events(sorted(places - around.own))

    def named(self, names: Iterable[str]) -> list[_Track]:
        """Where these canonical events stand."""
        return [self._by_name[name] for name in names if name in self._by_name]

    def mentioning(self, texts: Iterable[str]) -> list[_Track]:
        """Where these IDs stand."""
        return [self._by_id[text] for text in texts if text in self._by_id]

    def lost(self) -> list[_Track]:
        """Where an ID is lost."""
        return [self._lost]

    def eras(self, side: str, around: Around) -> frozenset[frozenset[str]]:
        """The versions that a stretch of time betrays."""
        own = ((eras, track) for (of, eras), track in self._by_eras.items() if of == side)
        return frozenset(eras for eras, track in own if track.between(around.start_ns, around.end_ns))


@dataclass(frozen=True, slots=True)
class Around:
    """One session's cut of the surroundings. Implements `Neighbours`."""

    surroundings: Surroundings
    start_ns: int
    end_ns: int
    own: frozenset[int]

    def named(self, *names: str) -> tuple[Event, ...]:
        """Those of these canonical names."""
        return self.surroundings.find(self.surroundings.named(names), self)

    def mentioning(self, *texts: str) -> tuple[Event, ...]:
        """Those that mention one of these IDs."""
        return self.surroundings.find(self.surroundings.mentioning(texts), self)

    def lost(self) -> tuple[Event, ...]:
        """Those that name a lost ID, or complain of one."""
        return self.surroundings.find(self.surroundings.lost(), self)

    def eras(self, side: str) -> frozenset[frozenset[str]]:
        """The versions that the lines of one side betray."""
        return self.surroundings.eras(side, self)
