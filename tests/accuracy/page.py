"""The page ``docs/accuracy.md``: figures, how each is measured, what the corpus is made of. No date, no machine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.accuracy.court import NOT_MEASURED
from tests.accuracy.judges.base import Figure, Judge
from tests.accuracy.make_up import describe_world
from tests.accuracy.truth import World

_HEAD = """# How accurate diag is

Made by `make accuracy`; do not edit. Every figure comes from a generated world whose truth is known: {sessions}
sessions, seed {seed}. The generator and its truth know nothing of diag; the judges ask diag about every session
through the same steps as in service, without its sources. The same seed gives the same page, to the byte.
"""

_PROVABLE = """Not everything that is true can be known from a log. What counts as *shown by the log* follows one simple rule,
applied to the lines that survived: two IDs belong together if one line or one Kafka record names both as its own, or
if each is tied to a third. An ID that several sessions share, a mapping that was guessed and nearness in time tie nothing.
"""


def write_page(world: World, judges: Sequence[Judge]) -> str:
    """The whole page."""
    return "\n".join(_parts(world, judges)).rstrip() + "\n"


def _parts(world: World, judges: Sequence[Judge]) -> Iterator[str]:
    yield _HEAD.format(sessions=len(world.sessions), seed=world.seed)
    yield "## Figures\n"
    rows = [_to_row(figure) for judge in judges for figure in judge.figures()]
    rows += [
        (name, promised, "not measured: diag does not answer it yet", "") for name, promised in NOT_MEASURED
    ]
    yield from to_table(("figure", "promised", "measured", "cases"), rows)
    yield "## How each is measured\n"
    yield _PROVABLE
    for judge in judges:
        yield f"### {judge.title}\n"
        yield f"{judge.how}\n"
        heading, *body = judge.table() or ((),)
        yield from to_table(heading, body) if body else ()
    yield "## What the corpus is made of\n"
    yield from to_table(("", ""), describe_world(world))


def _to_row(figure: Figure) -> tuple[str, str, str, str]:
    promised = "informs only" if figure.promised is None else f"at least {_percent(figure.promised)}"
    share = figure.share
    measured = "no case" if share is None else _percent(share)
    if not figure.is_met:
        measured = f"**{measured}, missed**"
    return figure.name, promised, measured, f"{figure.hits} of {figure.total}"


def _percent(share: float) -> str:
    """Rounded down to a hundredth, so that nothing looks better than it is."""
    return f"{int(share * 10_000 + 1e-6) / 100:g} %"


def to_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table and an empty line."""
    yield f"| {' | '.join(heading)} |"
    yield f"|{'---|' * len(heading)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"
    yield ""
