"""The judges see what is wrong: a judge that is always content measures nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.accuracy.judges.attribution import AttributionJudge
from tests.accuracy.judges.base import Figure, Hearing
from tests.accuracy.judges.clocks import ClocksJudge
from tests.accuracy.judges.hop import HopJudge
from tests.accuracy.judges.ledger import most_off_ms
from tests.accuracy.judges.links import LinksJudge
from tests.accuracy.judges.named_hop import NamedHop, named_hop
from tests.accuracy.provable import Proof, shows_loss
from tests.accuracy.truth import (
    LISTENING_BODY,
    NS_PER_MS,
    SESSION_INFO,
    Line,
    Pod,
    Session,
    Stage,
    Turn,
    World,
)
from tests.accuracy.world import build_world

SAID = "The WebSocket was bound to B while the media server worked under A (truncated, at the {}). More."


def diagnosis(members: frozenset[str] = frozenset(), summary: str = "", ids: tuple[str, ...] = ()) -> Any:
    finding = SimpleNamespace(slug="id-mismatch", summary=summary, sessions=ids)
    return SimpleNamespace(session=SimpleNamespace(members=members, turns=()), findings=(finding,))


def hearing(session: Session, group: tuple[str, ...], answer: Any) -> Hearing:
    return Hearing(session, group[0], group, Proof(session, frozenset()), answer)


def test_a_pair_of_two_sessions_lowers_precision_and_a_missing_one_recall() -> None:
    """A and b are session 0's, c is session 1's."""
    owners = {"a": frozenset({0}), "b": frozenset({0}), "c": frozenset({1})}
    judge, session = LinksJudge(owners), Session(0, "B", "media", "a")
    judge.hear(hearing(session, ("a", "b"), diagnosis(frozenset({"a", "c"}))))
    precision, recall, _ = judge.figures()

    assert (precision.hits, precision.total) == (0, 1)
    assert (recall.hits, recall.total) == (0, 1)


def test_a_pair_that_is_merged_twice_counts_once() -> None:
    """Whichever ID was asked for."""
    owners = {"a": frozenset({0}), "b": frozenset({0})}
    judge, session = LinksJudge(owners), Session(0, "B", "media", "a")
    for group in (("a",), ("b",)):
        judge.hear(hearing(session, group, diagnosis(frozenset({"a", "b"}))))

    assert judge.figures()[0].total == 1


def test_a_strangers_line_lowers_the_precision_of_attribution_unless_it_is_ambiguous() -> None:
    """Line a is session 0's, b is session 1's, c is nobody's; d is session 0's and was not found."""
    pod = Pod("stt-1", "stt-service", "B", 0, 0.0, 0, 0.0)
    lines = [
        Line(0, pod, name, "info", {}, {}, "", owner, (), insert_id=name)
        for name, owner in (("a", 0), ("b", 1), ("c", None), ("d", 0))
    ]
    session = Session(0, "B", "media", "x", lines=[lines[0], lines[3]])
    world = World(1, (pod,), pod, (session,), lines, [])
    judge, answer = AttributionJudge(world), diagnosis()
    answer.session.attributed = tuple(
        SimpleNamespace(
            event=SimpleNamespace(entry=SimpleNamespace(insert_id=name)), rule="pod", ambiguous=doubt
        )
        for name, doubt in (("a", False), ("b", False), ("c", True))
    )
    judge.hear(hearing(session, ("x",), answer))

    assert [(one.hits, one.total) for one in judge.figures()] == [(1, 2), (0, 1), (1, 2), (1, 2)]


@pytest.mark.parametrize(
    ("said", "hop"),
    [
        ("WebSocket (session_info)", SESSION_INFO),
        ("WHIP header", "WHIP header"),
        ("/listening body", LISTENING_BODY),
        ("Kafka key", "Kafka key"),
        ("moon", "moon"),
    ],
)
def test_what_diag_says_is_read(said: str, hop: str) -> None:
    """Words that the truth does not know stay diag's own, and so are wrong."""
    assert named_hop(diagnosis(summary=SAID.format(said), ids=("A", "B"))) == NamedHop(
        hop, "truncated", ("A", "B")
    )
    assert named_hop(diagnosis(summary="nothing of the kind")) is None


@pytest.mark.parametrize(("strangers", "hits"), [((), 1), (("stranger",), 0)])
def test_the_right_hop_with_a_strangers_id_is_wrong(strangers: tuple[str, ...], hits: int) -> None:
    """Another caller must not be accused."""
    world = build_world(1, 60)
    session, proof = next(
        (s, proof)
        for s in world.sessions
        if s.loss and shows_loss(s.loss, proof := Proof(s, frozenset())) and s.client in proof.named
    )
    assert session.loss is not None
    words = session.loss.hop
    answer = diagnosis(summary=SAID.format(words), ids=(session.client, *strangers))
    judge = HopJudge()
    judge.hear(Hearing(session, session.client, (session.client,), proof, answer))

    assert (judge.figures()[0].hits, judge.figures()[0].total) == (hits, 1)


def test_a_turn_is_off_by_its_worst_time() -> None:
    """A stage that began 5 ms late, in a turn that is otherwise right."""
    at = [SimpleNamespace(true_ns=ms * NS_PER_MS) for ms in (0, 100, 400, 500)]
    turn = Turn(at[0], at[3], (Stage("stt", at[1], at[2]),))  # type: ignore[arg-type]
    said = SimpleNamespace(
        total_ms=500.0, unaccounted_ms=205.0, stages=(SimpleNamespace(name="stt", ms=295.0),)
    )
    bare = SimpleNamespace(total_ms=500.0, unaccounted_ms=500.0, stages=())

    assert most_off_ms(turn, said) == pytest.approx(5.0)  # type: ignore[arg-type]
    assert most_off_ms(turn, bare) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("least", "most", "inside"),
    [(2, 4, 1), (None, 3, 1), (3, None, 1), (4, 5, 0), (None, 2, 0), (4, None, 0), (-4, -2, 0)],
)
def test_an_interval_beside_the_true_difference_is_wrong(
    least: int | None, most: int | None, inside: int
) -> None:
    """The media server is 5 ms ahead of true time, the orchestrator 2 ms: 3 ms between them."""
    pods = [Pod(name, name, "B", ms * NS_PER_MS, 0.0, 0, 0.0) for name, ms in (("media", 5), ("orch", 2))]
    ends = [None if ms is None else ms * NS_PER_MS for ms in (least, most)]
    answer = diagnosis()
    said = SimpleNamespace(pod="media", least_ns=ends[0], most_ns=ends[1], shift_ns=0)
    answer.session.clocks = SimpleNamespace(
        reference="orch", at_ns=NS_PER_MS, pods=(said,), contradictions=()
    )
    answer.session.events = ()
    judge = ClocksJudge(pods)
    judge.hear(hearing(Session(0, "B", "media", "a"), ("a",), answer))

    assert (judge.figures()[0].hits, judge.figures()[0].total) == (inside, 1)


def test_a_promise_about_no_case_is_not_kept() -> None:
    """A corpus that does not hold the case proves nothing."""
    assert not Figure("x", 0.99).is_met
    assert Figure("x", None).is_met
