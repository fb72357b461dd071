"""How long each turn and each of its stages took."""

from __future__ import annotations

from collections.abc import Sequence

from diag.model.turns import Turn as DiagTurn
from tests.accuracy.judges.base import Figure, Hearing
from tests.accuracy.truth import LOST_TEXTS, Turn

PROMISED = 1.0
MOST_OFF_MS = 1.0
_CLOCK = "orchestrator"
_NO_ID = "the turn ran under a lost ID"
_REASONS = (
    "turns interleave without an ID",
    "its stamps are of several pods",
    "one of its stamps did not survive",
    "the ID asked for did not lead to it (counted as a missed link)",
    _NO_ID,
)


class LedgerJudge:
    """Stages, total and what no stage accounts for, each against the truth."""

    title = "What a turn's time went to"
    how = (
        f"A turn is right if its total, every stage and the unaccounted rest are off by at most "
        f"{MOST_OFF_MS:g} ms. Judged are turns whose stamps all survived and were all written by one pod of "
        f"the {_CLOCK}, on that pod's raw clock; turns that interleave without turn IDs cannot be told apart "
        "and are left out, and so are those with stamps of several pods: turns are measured by raw times."
    )

    def __init__(self) -> None:
        self._right = Figure("turns with every time right to 1 ms", PROMISED)
        self._found = Figure("turns found", None)
        self._left_out = dict.fromkeys(_REASONS, 0)

    def hear(self, hearing: Hearing) -> None:
        """Take one answer in."""
        session = None if hearing.diagnosis is None else hearing.diagnosis.session
        members = session.members if session else frozenset()
        said = {turn.trigger.entry.ref.rpartition("#")[2]: turn for turn in session.turns} if session else {}
        for turn in hearing.session.turns:
            if turn.start.ids["session"] in hearing.group and not self._is_left_out(turn, members):
                self._judge(hearing, turn, said.get(turn.start.insert_id))
        if hearing.session.client in hearing.group:
            lost = (turn for turn in hearing.session.turns if turn.start.ids["session"] in LOST_TEXTS)
            self._left_out[_NO_ID] += sum(1 for _ in lost)

    def _is_left_out(self, turn: Turn, members: frozenset[str]) -> bool:
        holds = (
            turn.interleaved,
            len({line.pod.name for line in turn.stamps}) > 1,
            not all(line.survived for line in turn.stamps),
            turn.start.ids["session"] not in members,
        )
        reason = next((reason for reason, is_so in zip(_REASONS, holds, strict=False) if is_so), None)
        if reason is not None:
            self._left_out[reason] += 1
        return reason is not None

    def _judge(self, hearing: Hearing, turn: Turn, said: DiagTurn | None) -> None:
        off = None if said is None else most_off_ms(turn, said)
        where = f"#{hearing.session.number} era {hearing.session.era} asked {hearing.asked}"
        where += f" [{', '.join(sorted(hearing.session.traits))}]: turn at {turn.start.insert_id}"
        self._found.count(said is not None, where)
        self._right.count(off is not None and off <= MOST_OFF_MS, f"{where} off by {off} ms")

    def figures(self) -> Sequence[Figure]:
        """The promised figures first."""
        return (self._right, self._found)

    def table(self) -> Sequence[Sequence[str]]:
        """Why turns were left out."""
        return (("left out because", "turns"), *((why, str(n)) for why, n in self._left_out.items()))


def most_off_ms(turn: Turn, said: DiagTurn) -> float | None:
    """The largest difference of any time; None where a stage is missing, or one too many."""
    if tuple(stage.name for stage in turn.stages) != tuple(stage.name for stage in said.stages):
        return None
    pairs = [(turn.total_ms, said.total_ms), (turn.unaccounted_ms, said.unaccounted_ms)]
    pairs += [(true.ms, told.ms) for true, told in zip(turn.stages, said.stages, strict=True)]
    return max((abs(true - told) if told is not None else float("inf")) for true, told in pairs)
