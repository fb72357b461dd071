"""Which IDs are one session's: precision and recall of the pairs that diag merges."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

from tests.accuracy.judges.base import Figure, Hearing
from tests.accuracy.provable import names_of

PRECISION, RECALL = 0.999, 0.99


class LinksJudge:
    """Pairs merged against pairs that are true, and pairs that the log proves against pairs merged."""

    title = "Which IDs belong together"
    how = (
        "Every session is asked for once by each group of its IDs that the log ties together. A pair is two "
        "IDs (of sessions, connections, traces) that diag counts as one session's. Precision: of the pairs "
        "merged, those of one true session. Recall: of the pairs that surviving lines and records prove, "
        "those merged. An ID that several sessions share proves nothing and need not be merged."
    )

    def __init__(self, owners: Mapping[str, frozenset[int]]) -> None:
        self._owners = owners
        self._seen: set[tuple[str, str]] = set()
        self._precision = Figure("precision of links", PRECISION)
        self._recall = Figure("recall of links", RECALL)
        self._whole = Figure("groups of IDs answered exactly", None)
        self._missed_by: Counter[str] = Counter()

    def hear(self, hearing: Hearing) -> None:
        """Take one answer in."""
        merged = frozenset() if hearing.diagnosis is None else _members(hearing)
        wrong = self._judge_merged(hearing, merged)
        missing = self._judge_proved(hearing, merged)
        self._whole.count(not wrong and not missing, hearing.asked)

    def _judge_merged(self, hearing: Hearing, merged: frozenset[str]) -> bool:
        wrong = False
        for pair in combinations(sorted(merged), 2):
            right = bool(self._owners.get(pair[0], frozenset()) & self._owners.get(pair[1], frozenset()))
            wrong |= not right
            if pair not in self._seen:
                self._seen.add(pair)
                self._precision.count(right, f"{_where(hearing)}: merged {pair[0]} and {pair[1]}")
        return wrong

    def _judge_proved(self, hearing: Hearing, merged: frozenset[str]) -> bool:
        missing = False
        for pair in combinations(hearing.group, 2):
            found = merged.issuperset(pair)
            missing |= not found
            self._recall.count(found, f"{_where(hearing)}: not merged {pair[0]} and {pair[1]}")
        if missing:
            self._missed_by.update(_bridges(hearing, merged))
        return missing

    def figures(self) -> Sequence[Figure]:
        """The promised figures first."""
        return (self._precision, self._recall, self._whole)

    def table(self) -> Sequence[Sequence[str]]:
        """What the lines say that tie the missed IDs to the merged ones."""
        rows = sorted(self._missed_by.items(), key=lambda item: (-item[1], item[0]))
        return (
            (
                ("what ties the IDs that were left out to those merged", "sessions"),
                *((a, str(n)) for a, n in rows),
            )
            if rows
            else ()
        )


def _members(hearing: Hearing) -> frozenset[str]:
    assert hearing.diagnosis is not None
    session = hearing.diagnosis.session
    return frozenset() if session is None else session.members


def _where(hearing: Hearing) -> str:
    session = hearing.session
    loss = f", {session.loss.hop} {session.loss.kind}" if session.loss else ""
    traits = ", ".join(sorted(session.traits))
    return f"#{session.number} era {session.era} {session.shape}{loss} [{traits}] asked {hearing.asked}"


def _bridges(hearing: Hearing, merged: frozenset[str]) -> set[str]:
    """What names both an ID that was merged and one that was left out."""
    left_out = set(hearing.group) - merged
    inside = set(hearing.group) & (merged or {hearing.asked})
    found = set()
    for line in hearing.session.lines:
        names = {*line.links, *(() if line.record is None else names_of(line.record))}
        if line.survived and names & inside and names & left_out:
            found.add(line.message if line.record is None else f"{line.message} (offset)")
    if any({*names_of(r)} & inside and {*names_of(r)} & left_out for r in hearing.session.records):
        found.add("a Kafka record's key and header")
    return found
