"""At which hop a session lost its ID."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tests.accuracy.judges.base import Figure, Hearing
from tests.accuracy.judges.named_hop import NamedHop, named_hop
from tests.accuracy.provable import shows_loss
from tests.accuracy.truth import LOST_TEXTS, Loss

PROMISED = 0.98


class HopJudge:
    """The hop that diag names against the one that lost the ID, for sessions whose log shows it."""

    title = "Where an ID was lost"
    how = (
        "The session is asked for by one of the IDs that the log ties to the client's own. A hop is named right "
        "if it is the one that lost the ID and every ID that the finding names is this session's: the right hop "
        "with a stranger's ID is wrong. A loss counts if the log shows it: a line or record "
        "of that hop survived and is tied to the client's ID by lines, not by nearness in time; where the "
        "same ID was minted twice, a line of a third hop must tell which half is the client's. The kind and "
        "false alarms inform only."
    )

    def __init__(self) -> None:
        self._named = Figure("hop named right where an ID was lost", PROMISED)
        self._kinds = Figure("kind named right where the hop was", None)
        self._hidden = Figure("hop named right where the log does not show it", None)
        self._quiet = Figure("no hop named where nothing was lost", None)
        self._rows: Counter[tuple[str, str, bool]] = Counter()

    def hear(self, hearing: Hearing) -> None:
        """Take one answer in."""
        if hearing.session.client not in hearing.group or hearing.diagnosis is None:
            return
        loss, said = hearing.session.loss, named_hop(hearing.diagnosis)
        where = f"#{hearing.session.number} era {hearing.session.era} asked {hearing.asked}"
        if loss is None:
            self._quiet.count(said is None, f"{where}: {said}")
            return
        right = said is not None and said.hop == loss.hop and _names_only(said, hearing)
        miss = f"{where}: {loss.hop}, {loss.kind}; diag says {said}"
        if not shows_loss(loss, hearing.proof):
            self._hidden.count(right, miss)
            return
        self._named.count(right, miss)
        self._rows[loss.hop, loss.kind, right] += 1
        if said is not None and right:
            self._kinds.count(_is_kind(said.kind, loss), miss)

    def figures(self) -> Sequence[Figure]:
        """The promised figures first."""
        return (self._named, self._kinds, self._quiet, self._hidden)

    def table(self) -> Sequence[Sequence[str]]:
        """Hop and kind with how many were named right."""
        cases = sorted({(hop, kind) for hop, kind, _ in self._rows})
        rows = [
            (hop, kind, str(self._rows[hop, kind, True]), str(self._rows[hop, kind, True] + self._rows[hop, kind, False]))
            for hop, kind in cases
        ]  # fmt: skip
        return (("hop", "kind", "named right", "sessions"), *rows)


def _names_only(said: NamedHop, hearing: Hearing) -> bool:
    """Whether no stranger's ID is named; a lost ID (``undefined``) is nobody's."""
    return all(text in hearing.session.ids or text in ("", *LOST_TEXTS) for text in said.ids)


_SAME_KIND = {"re-minted": ("minted twice",), "sent and not read": ("sent and refused",)}


def _is_kind(said: str, loss: Loss) -> bool:
    return any(word in said for word in (loss.kind, *_SAME_KIND.get(loss.kind, ())))
