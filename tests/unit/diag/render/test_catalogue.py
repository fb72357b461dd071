"""A proposal as TOML: what stands in it is what was meant, whatever the text."""

from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from diag.model.catalogue_report import CatalogueReport, FileCount, Problem
from diag.model.proposal import Proposal, ProposedKey, ProposedLine, ProposedService
from diag.render.catalogue import render_proposal, render_report

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def propose(*lines: ProposedLine) -> Proposal:
    return Proposal((ProposedService("gateway", "media", lines),), (), 1, 0)


@given(TEXTS, TEXTS)
def test_every_text_comes_back_as_it_was(text: str, pattern: str) -> None:
    """Quotes, backslashes, hidden characters; what does not show is written as an escape."""
    out = render_proposal(propose(ProposedLine(text, 2), ProposedLine(text, 1, pattern=pattern, sample=text)))
    service = tomllib.loads(out)["services"]["gateway"]

    assert list(service["messages"]) == [text]
    (row,) = service["patterns"]
    assert (row["shown"], row["pattern"], row["samples"]) == (text, pattern, [text])
    assert all(char == "\n" or char.isprintable() for char in out)


def test_keys_are_grouped_by_role_and_the_undecided_are_comments() -> None:
    """With how often, where, and whether they recur."""
    keys = (
        ProposedKey("callSid", "session", 9, ("a", "b"), shared=True, form="CA[0-9]+"),
        ProposedKey("userId", "", 2, ("a",), shared=False),
    )
    out = render_proposal(Proposal((), keys, 9, 0))

    assert tomllib.loads(out) == {"ids": {"session": ["callSid"]}, "forms": {"session": ["CA[0-9]+"]}}
    assert "# callSid: 9 lines of a, b, its IDs recur in other services\n" in out
    assert "#   userId: 2 lines of a\n" in out


def test_problems_and_counts_are_one_line_each() -> None:
    """Hidden characters are shown, long texts cut."""
    problem = Problem("a\x1b.toml", 3, "x" * 1000, "do\nthis")
    counts = (FileCount("b.toml", 1, 2, 0),)

    assert render_report(CatalogueReport(counts, ())) == "b.toml: 1 message, 2 patterns, 0 ID keys\n"
    out = render_report(CatalogueReport(counts, (problem,)))
    assert out.startswith("a\\x1b.toml:3: xxx")
    assert (out.count("\n"), len(out) < 450) == (1, True)
