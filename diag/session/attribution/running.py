"""Which stages ran when a line was written, and whether only one session's could have written it."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate

from diag.model.events import Event
from diag.model.instants import NS_PER_S
from diag.model.session import Attribution
from diag.session.attribution.scene import OWN, Scene, latest_ns, place_of, says_same
from diag.session.attribution.spans import REQUEST, Span

CLOCKS_DIFFER_NS = 5 * NS_PER_S
"""A line of another pod is written by another clock: so far beside a stage it may still be of it."""

_FURTHEST_NS = 60 * NS_PER_S
"""Beyond this no clock is looked for: what is proved to differ by more is a clock that was never set."""

_MOST_COMPARED = 200
"""Spans that are held against one line; with more at once nothing is told apart."""


class Running:
    """The stages and requests of a scene, to be asked for by line."""

    def __init__(self, scene: Scene, spans: Iterable[Span]) -> None:
        self._sees_others = scene.sees_others
        self._shifts = {clock.pod: clock.shift_ns for clock in scene.clocks.pods}
        furthest = max(map(abs, self._shifts.values()), default=0)
        self._reach_ns = min(_FURTHEST_NS, 2 * furthest + CLOCKS_DIFFER_NS)
        found: defaultdict[_Key, list[Span]] = defaultdict(list)
        for span in spans:
            for place in (span.place, _ANYWHERE):
                found[span.owner == OWN, span.kind, place].append(span)
        self._begun = {key: _Begun(of_key) for key, of_key in found.items()}

    def attribute(self, line: Event) -> Attribution | None:
        """By the stage that the catalogue names; None where none of this session's can have written it."""
        kind = line.attributed.partition(":")[2] or REQUEST
        own, own_all = self._fitting(line, kind, is_own=True)
        if not own:
            return None
        others, others_all = self._fitting(line, kind, is_own=False)
        compared = own_all and others_all
        told_own = [one for one in own if says_same(line, one.told)]
        told_others = [one for one in others if says_same(line, one.told)]
        told = compared and bool(told_own or told_others)
        if told:
            own, others = told_own, told_others
        elif others and not any(self._is_inside(line, one) for one in own):
            return None  # only another clock could make it one of these, and other sessions' are as near
        if not own:
            return None
        alone = compared and self._sees_others and len(own) == 1 and not others
        rule = f"{line.attributed}, same content" if told else line.attributed
        return Attribution(line, rule, not alone)

    def _fitting(self, line: Event, kind: str, *, is_own: bool) -> tuple[list[Span], bool]:
        """The spans that `line` may be of, and whether all were compared."""
        place = _ANYWHERE if line.side == kind else place_of(line.entry)
        begun = self._begun.get((is_own, kind, place), _NOTHING)
        found: list[Span] = []
        first, last = line.time_ns - self._reach_ns, latest_ns(line) + self._reach_ns
        for count, span in enumerate(begun.between(first, last)):
            if count >= _MOST_COMPARED:
                return found, False
            slack = 0 if span.place == place else CLOCKS_DIFFER_NS
            if self._is_inside(line, span, slack) and says_same(line, span.told) is not False:
                found.append(span)
        return found, True

    def _is_inside(self, line: Event, span: Span, slack_ns: int = 0) -> bool:
        """Whether the line was written while the stage ran, each by its own pod's adjusted clock."""
        shift = self._shifts.get(line.entry.pod, 0) - self._shifts.get(span.pod, 0)
        started, ended = latest_ns(line) - shift >= span.start_ns - slack_ns, span.end_ns + slack_ns
        return started and line.time_ns - shift <= ended


_Key = tuple[bool, str, str]
_ANYWHERE = ""


class _Begun:
    """Spans by their beginning."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._spans = sorted(spans, key=lambda span: (span.start_ns, span.end_ns, span.owner))
        self._starts = [span.start_ns for span in self._spans]
        self._last_ends = list(accumulate((span.end_ns for span in self._spans), max))

    def between(self, first_ns: int, last_ns: int) -> Iterator[Span]:
        """Those that ran then, the latest begun first."""
        for place in range(bisect_right(self._starts, last_ns) - 1, -1, -1):
            if self._last_ends[place] < first_ns:
                return  # nor did any that began before it
            if self._spans[place].end_ns >= first_ns:
                yield self._spans[place]


_NOTHING = _Begun(())
