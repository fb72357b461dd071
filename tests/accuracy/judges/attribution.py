"""Whose the lines are that name no session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.accuracy.judges.base import Figure, Hearing
from tests.accuracy.truth import Line, Session, World

PROMISED = 0.99


class AttributionJudge:
    """The lines that diag attributes to a session, against those that are its own."""

    title = "Lines without an ID"
    how = (
        "A line that names no session, connection or trace counts as one of a session if the session wrote it. "
        "Precision: of the lines that diag takes for a session's own and calls unambiguous, the share that are. "
        "Recall: of the lines without an ID that are a session's and reached the log, the share that diag "
        "attributes to it, and the share that it attributes and calls unambiguous; both inform only. An "
        "ambiguous line is claimed for nobody."
    )

    def __init__(self, world: World) -> None:
        self._lines = world.by_insert_id()
        self._precise = Figure("lines attributed without doubt that are the session's own", PROMISED)
        self._ambiguous = Figure("lines attributed with doubt that are the session's own", None)
        self._found = Figure("lines of a session without an ID that are attributed to it", None)
        self._sure = Figure("lines of a session without an ID that are attributed without doubt", None)
        self._heard: dict[int, Session] = {}
        self._answers: dict[int, dict[str, bool]] = {}
        self._rules: Counter[tuple[str, bool, bool]] = Counter()

    def hear(self, hearing: Hearing) -> None:
        """Take one answer in."""
        session = hearing.session
        self._heard[session.number] = session
        answers = self._answers.setdefault(session.number, {})
        for one in hearing.diagnosis.session.attributed if hearing.diagnosis else ():
            line = self._lines[one.event.entry.insert_id]
            right = line.owner == session.number
            figure = self._ambiguous if one.ambiguous else self._precise
            figure.count(right, f"#{session.number} {one.rule}: {_describe(line)}")
            self._rules[one.rule, one.ambiguous, right] += 1
            answers[line.insert_id] = answers.get(line.insert_id, True) and one.ambiguous

    def figures(self) -> Sequence[Figure]:
        """The promised figures first."""
        self._found.hits = self._found.total = self._sure.hits = self._sure.total = 0
        self._found.misses.clear()
        self._sure.misses.clear()
        for session in self._heard.values():
            answers = self._answers[session.number]
            for line in session.lines:
                if line.survived and not line.has_id:
                    miss = f"#{session.number} era {session.era}: {_describe(line)}"
                    self._found.count(line.insert_id in answers, miss)
                    self._sure.count(not answers.get(line.insert_id, True), miss)
        return (self._precise, self._ambiguous, self._found, self._sure)

    def table(self) -> Sequence[Sequence[str]]:
        """Rule with how many lines it was right about."""
        rules = sorted({(rule, ambiguous) for rule, ambiguous, _ in self._rules})
        rows = []
        for rule, ambiguous in rules:
            right, wrong = self._rules[rule, ambiguous, True], self._rules[rule, ambiguous, False]
            rows.append((rule, "ambiguous" if ambiguous else "", str(right), str(right + wrong)))
        return (("rule", "", "the session's own", "lines"), *rows)


def _describe(line: Line) -> str:
    owner = "nobody's" if line.owner is None else f"#{line.owner}'s"
    return f"{owner} {line.pod.name} {line.message[:90]!r}"
