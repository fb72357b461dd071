"""When which session's stage ran where, from the lines that mark its states.

Lines get lost: a span whose beginning or end is missing reaches as far as it can have reached, so that it
makes lines ambiguous rather than another session's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.session.attribution.scene import Scene, latest_ns, place_of
from diag.session.events import stage_of, state_of

REQUEST = "request"

STAGE_EVENTS = ("stage", "stage.done", "stage.error", "stage.text", "turn.start", "turn.end")
REQUEST_EVENTS = ("ws.request", "ws.request_done")

LONGEST_NS = 366 * NS_PER_S
"""The reference orchestrator gives a stage three attempts of two minutes, with waits between."""

_ENDED = ("complete", "error")
_DONE = "done"
_STATES_BY_EVENT = {"stage.done": _DONE, "stage.error": "error", "stage.text": _DONE}


@dataclass(slots=True)
class Span:
    """A stretch of time in which a pod worked on one stage of one session, both ends included.

    Attributes:
        kind: the stage, or ``request`` for what a WebSocket asked for.
        told: lines of the session itself that tell of the stage's result.
    """

    owner: str
    place: str
    pod: str
    kind: str
    start_ns: int
    end_ns: int
    told: list[Event] = field(default_factory=list)


def find_spans(scene: Scene) -> Iterator[Span]:
    """Every stage and every request of every session that the scene's lines show."""
    courses: defaultdict[tuple[str, str, str], _Course] = defaultdict(_Course)
    requests: defaultdict[str, _Requests] = defaultdict(_Requests)
    for event in scene.lines:
        if event.name in STAGE_EVENTS:
            owner = scene.owner_of(event)
            if owner is not None:
                turn = next(iter(event.entry.ids_in("turn")), "")
                courses[place_of(event.entry), owner, turn].take(event, owner)
        place = place_of(event.entry)
        if event.name in REQUEST_EVENTS or place in requests:
            requests[place].take(event, scene)
    for course in courses.values():
        yield from course.spans
    for asked in requests.values():
        yield from asked.spans


class _Course:
    """The stages of one session on one pod; of one turn, where turns have IDs."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._open: defaultdict[str, list[Span]] = defaultdict(list)
        self._last: dict[str, Span] = {}
        self._waits: dict[str, int] = {}
        self._running = 0

    def take(self, event: Event, owner: str) -> None:
        if event.name == "turn.start":
            self._begin_turn()
        elif event.name == "turn.end":
            self._end_turn(event)
        elif stage := stage_of(event):
            self._take_state(stage, _STATES_BY_EVENT.get(event.name) or state_of(event), event, owner)

    def _begin_turn(self) -> None:
        if not self._running:
            self._last, self._waits = {}, {}
        self._running += 1

    def _end_turn(self, event: Event) -> None:
        self._running = max(0, self._running - 1)
        if not self._running:
            for stage in list(self._open):
                self._close_all(stage, event)

    def _take_state(self, stage: str, state: str, event: Event, owner: str) -> None:
        if state == "waiting":
            self._waits[stage] = event.time_ns
        elif state == "executing":
            if self._running <= 1:  # with one turn the earlier attempt is over, though nothing said so
                self._close_all(stage, event)
            self._begin(stage, event.time_ns, event, owner)
        elif state == _DONE and not self._open[stage] and stage in self._last:
            self._last[stage].told.append(event)
        elif state in (*_ENDED, _DONE):
            if not self._open[stage]:
                self._begin(stage, self._waits.pop(stage, event.time_ns), event, owner)
            span = self._open[stage].pop(0)
            span.end_ns = latest_ns(event)
            span.told.append(event)

    def _begin(self, stage: str, start_ns: int, event: Event, owner: str) -> None:
        place, pod = place_of(event.entry), event.entry.pod
        span = Span(owner, place, pod, stage, start_ns, start_ns + LONGEST_NS)
        self.spans.append(span)
        self._open[stage].append(span)
        self._last[stage] = span

    def _close_all(self, stage: str, event: Event) -> None:
        for span in self._open.pop(stage, ()):
            span.end_ns = min(span.end_ns, latest_ns(event))


class _Requests:
    """What the connections of one pod asked to be spoken; one connection asks for one thing at a time."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self._open: dict[str, list[Span]] = {}

    def take(self, event: Event, scene: Scene) -> None:
        connections = event.entry.ids_in("connection")
        if connections and not event.name.startswith("bcast."):
            self._close(connections[0], event)
        if event.name == "ws.request":
            self._begin(event, connections, scene)
        elif event.name == "ws.request_done" and not connections and len(self._open) == 1:
            self._close(next(iter(self._open)), event)

    def _begin(self, event: Event, connections: Iterable[str], scene: Scene) -> None:
        owner = scene.owner_of(event)
        if owner is None:
            return
        place, pod = place_of(event.entry), event.entry.pod
        begun = [
            Span(owner, place, pod, kind, event.time_ns, event.time_ns + LONGEST_NS, [event])
            for kind in (REQUEST, "tts")  # what is asked for is speech
        ]
        self.spans += begun
        self._open[next(iter(connections), owner)] = begun

    def _close(self, name: str, event: Event) -> None:
        for span in self._open.pop(name, ()):
            span.end_ns = min(span.end_ns, latest_ns(event))
