"""How far the pods' clocks differ, against the clocks of the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from diag.model.clocks import Clocks, PodClock
from tests.accuracy.judges.base import Figure, Hearing
from tests.accuracy.truth import NS_PER_MS, Pod

PROMISED = 1.0


class ClocksJudge:
    """The interval that diag states for a pod, and whether the true difference lies in it."""

    title = "How far clocks differ"
    how = (
        "For each session diag chooses a reference pod, and states of another pod's clock how far it is ahead of "
        "the reference's in the middle of the session: at least, at most, or both. A statement is right if the "
        "true difference at that time lies inside. Of pods about which nothing is stated nothing is judged; how "
        "many those are, the other figures tell. Only lines with turn IDs bound a clock on both sides, and the "
        "reference eras have none. Times are adjusted only where zero is outside the interval."
    )

    def __init__(self, pods: Iterable[Pod]) -> None:
        self._pods = {pod.name: pod for pod in pods}
        self._inside = Figure("true clock offset inside the stated interval", PROMISED)
        self._stated = Figure("pods of a session for which an interval is stated", None)
        self._closed = Figure("stated intervals with both ends", None)
        self._adjusted = Figure("stated intervals by which times are adjusted", None)
        self._sound = Figure("sessions without a contradiction of clocks", None)
        self._widths_ms: list[float] = []

    def hear(self, hearing: Hearing) -> None:
        """Take one answer in."""
        session = None if hearing.diagnosis is None else hearing.diagnosis.session
        if session is None:
            return
        where = f"#{hearing.session.number} era {hearing.session.era} asked {hearing.asked}"
        stated = {clock.pod for clock in session.clocks.pods}
        others = {event.entry.pod for event in session.events} - {session.clocks.reference, ""}
        for pod in sorted(others):
            self._stated.count(pod in stated, f"{where}: {pod}")
        for clock in session.clocks.pods:
            self._judge(clock, session.clocks, where)
        self._sound.count(not session.clocks.contradictions, f"{where}: {session.clocks.contradictions}")

    def _judge(self, clock: PodClock, clocks: Clocks, where: str) -> None:
        true_ns = self._true_offset_ns(clock.pod, clocks)
        inside = (clock.least_ns is None or clock.least_ns <= true_ns) and (
            clock.most_ns is None or true_ns <= clock.most_ns
        )
        self._inside.count(inside, f"{where}: {clock}, truly {true_ns}")
        self._adjusted.count(bool(clock.shift_ns), where)
        self._closed.count(clock.least_ns is not None and clock.most_ns is not None, where)
        if clock.least_ns is not None and clock.most_ns is not None:
            self._widths_ms.append((clock.most_ns - clock.least_ns) / NS_PER_MS)

    def _true_offset_ns(self, pod: str, clocks: Clocks) -> int:
        """At the time that diag speaks of, which it tells by the reference's clock."""
        reference = self._pods[clocks.reference]
        at_ns = clocks.at_ns - reference.offset_ns(clocks.at_ns)
        return self._pods[pod].offset_ns(at_ns) - reference.offset_ns(at_ns)

    def figures(self) -> Sequence[Figure]:
        """The promised figures first."""
        return (self._inside, self._stated, self._closed, self._adjusted, self._sound)

    def table(self) -> Sequence[Sequence[str]]:
        """How wide the closed intervals are."""
        if not self._widths_ms:
            return ()
        widths = sorted(self._widths_ms)
        rows = (("narrowest", widths[0]), ("median", median(widths)), ("widest", widths[-1]))
        return (("width of intervals with both ends", "ms"), *((name, f"{ms:.1f}") for name, ms in rows))
