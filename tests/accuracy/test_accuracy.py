"""The promised figures on a small world, and that the world is what the page says it is."""

from __future__ import annotations

import ast
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.accuracy.court import judge
from tests.accuracy.entries import to_entries
from tests.accuracy.judges.base import Figure
from tests.accuracy.losses import KINDS
from tests.accuracy.page import write_page
from tests.accuracy.provable import Proof
from tests.accuracy.truth import GRPC, NS_PER_S, REMINTED, World
from tests.accuracy.world import build_world

SEED, SESSIONS = 1, 60
ROOM = Path(__file__).parent
JUDGING = ("judges/", "diagnoses.py", "court.py", "page.py", "__main__.py", "test_accuracy.py")


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(SEED, SESSIONS)


@pytest.fixture(scope="module")
def figures(world: World) -> dict[str, Figure]:
    judges = judge(world)
    return {figure.name: figure for one in judges for figure in one.figures()}


@pytest.mark.parametrize(
    "name",
    [
        "precision of links",
        "recall of links",
        "hop named right where an ID was lost",
        "turns with every time right to 1 ms",
        "true clock offset inside the stated interval",
    ],
)
def test_the_promised_figures_are_reached(name: str, figures: dict[str, Figure]) -> None:
    """The same promises as on the page, on a smaller world."""
    figure = figures[name]

    assert figure.promised is not None
    assert figure.total
    assert figure.is_met, "\n".join((f"{figure.hits} of {figure.total}", *figure.misses[:20]))


def test_the_same_seed_gives_the_same_entries(world: World) -> None:
    """To the byte; another seed gives others."""
    again, other = build_world(SEED, SESSIONS), build_world(SEED + 1, SESSIONS)

    assert as_text(again) == as_text(world)
    assert as_text(other) != as_text(world)


def test_the_page_is_the_same_for_the_same_seed() -> None:
    """No date, no machine, no order of sets."""
    small = build_world(SEED, 12)

    assert write_page(small, judge(small)) == write_page(build_world(SEED, 12), judge(small))


def as_text(world: World) -> Sequence[str]:
    return [json.dumps(entry) for entry in to_entries(world)]


def test_the_generator_knows_nothing_of_diag() -> None:
    """Else the code would be judged by itself."""
    for path in ROOM.rglob("*.py"):
        if not str(path.relative_to(ROOM)).startswith(JUDGING):
            assert not {name for name in imported(path) if name.startswith(("diag", "pipeline"))}, path


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return names | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


def test_every_kind_of_loss_occurs_at_every_hop_that_knows_it() -> None:
    """A kind that never occurs is not judged."""
    lost = {(s.loss.hop, s.loss.kind) for s in build_world(SEED, 1000).sessions if s.loss}

    assert lost == {(GRPC, REMINTED), *((hop, kind) for hop, kinds in KINDS.items() for kind in kinds)}


def test_clocks_and_losses_stay_within_what_the_page_says(world: World) -> None:
    """Offsets of at most 5 s when the world begins, and at most 5 % of a pod's lines lost."""
    assert all(abs(pod.ahead_ns) <= 5 * NS_PER_S and 0 <= pod.loss <= 0.05 for pod in world.pods)
    line = world.lines[-1]
    entry = next(e for e in to_entries(world) if e["insertId"] == world.lines[0].insert_id)

    assert line.pod.clock(line.true_ns) - line.true_ns == line.pod.offset_ns(line.true_ns)
    assert entry["resource"]["labels"]["pod_name"] == world.lines[0].pod.name


def test_what_is_proved_is_true(world: World) -> None:
    """The truth of links holds for the generator's own rule: no proof joins two sessions."""
    owners = world.owners()
    shared = frozenset(text for text, numbers in owners.items() if len(numbers) > 1)

    for session in world.sessions:
        for group in Proof(session, shared).components():
            assert all(session.number in owners[text] for text in group)


def test_every_line_of_a_session_has_its_owner(world: World) -> None:
    """Lines without an ID included: they are what attribution is judged by."""
    bare = [line for line in world.lines if line.owner is not None and not line.has_id]

    assert all(line.owner == s.number for s in world.sessions for line in s.lines)
    assert bare
