"""All judges, in the order of the page, and the figures that nobody can judge yet.

To judge another figure: a file in ``judges/`` with a class of the form of `Judge`, its place in the tuple
below, and its row taken out of `NOT_MEASURED`. The truth it needs is described in ``truth.py``.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.accuracy.diagnoses import hear_all
from tests.accuracy.judges.attribution import AttributionJudge
from tests.accuracy.judges.base import Judge
from tests.accuracy.judges.clocks import ClocksJudge
from tests.accuracy.judges.hop import HopJudge
from tests.accuracy.judges.ledger import LedgerJudge
from tests.accuracy.judges.links import LinksJudge
from tests.accuracy.truth import World

NOT_MEASURED: tuple[tuple[str, str], ...] = ()
"""What is promised and diag does not answer yet."""


def judge(world: World) -> Sequence[Judge]:
    """Every judge, after it heard every session."""
    judges: tuple[Judge, ...] = (
        LinksJudge(world.owners()),
        HopJudge(),
        LedgerJudge(),
        ClocksJudge(world.pods),
        AttributionJudge(world),
    )
    for hearing in hear_all(world):
        for one in judges:
            one.hear(hearing)
    return judges
