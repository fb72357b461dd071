"""A text that sessions are sought by: each way in which it finds one, and what it never finds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from diag.app.many.matching import find_matches
from diag.app.sought import check_sought, explain_unfound
from diag.errors import UsageError
from diag.model.overview import MatchKind
from diag.model.session import Session
from tests.cases import DEFAULTS, START_NS, diagnose, read_case

SECOND = "session_1753615601999_abcdefghi"
LINES = f"""
# asks: $S
00:00.001 media-server  info Using session ID from header :: sessionID=$S trace=$T
00:00.600 orchestrator  info WebSocket client connected :: connID=$W
00:00.700 orchestrator  info Received session info from frontend :: connID=$W sessionID=$S
00:05.000 orchestrator  error Pipeline [a.*b] failed (again) :: sessionID=$S reason="Quota  IS gone" peer=anna@example.com
00:06.000 orchestrator  error Pipeline [a.*b] failed (again) :: sessionID=$S attempt=40917
00:07.000 orchestrator  info Something of another one :: sessionID={SECOND} reason=elsewhere
"""


@pytest.fixture(scope="module")
def session() -> Session:
    return diagnose(read_case(LINES)).session


@pytest.mark.parametrize(
    ("text", "kind", "where", "second"),
    [
        ("CZ4GW0", MatchKind.ID, DEFAULTS["S"], 0),
        (DEFAULTS["W"], MatchKind.ID, DEFAULTS["W"], 0),
        ("ws_17536", MatchKind.ID, DEFAULTS["W"], 0),
        (DEFAULTS["T"][4:20].upper(), MatchKind.ID, DEFAULTS["T"], 0),
        ("Orchestrator-5c9b", MatchKind.POD, "orchestrator-5c9b7f6d84-q8wzn", 0),
        ("pipeline [A.*b]  failed (", MatchKind.MESSAGE, "", 5),
        ("quota is GONE", MatchKind.FIELD, "reason", 5),
        ("40917", MatchKind.FIELD, "attempt", 6),
    ],
)
def test_what_one_has_finds_the_session(
    session: Session, text: str, kind: MatchKind, where: str, second: int
) -> None:
    """By the most telling kind, in any case, with the first line that has it."""
    first = find_matches(session, text)[0]

    assert (first.kind, first.where) == (kind, where)
    assert first.service in ("media-server", "orchestrator")
    assert first.evidence.ref
    assert (first.evidence.time_ns - START_NS) // 10**9 == second


@pytest.mark.parametrize(("text", "is_found"), [("Voice/Orch", True), ("orch", True), ("estrator", False)])
def test_a_pod_is_found_by_its_name_with_or_without_what_tells_it_from_a_namesake(
    session: Session, text: str, *, is_found: bool
) -> None:
    """A cluster's name stands before it where two clusters have such a pod."""
    event = session.events[0]
    entry = replace(event.entry, pod="voice/orchestrator-0", message="", service="")
    found = find_matches(replace(session, events=(replace(event, entry=entry),)), text)

    assert [one.where for one in found if one.kind is MatchKind.POD] == ["voice/orchestrator-0"] * is_found


def test_the_line_shows_the_field_that_has_it(session: Session) -> None:
    """Also one that lines do not show."""
    (found,) = find_matches(session, "40917")

    assert "attempt=40917" in found.evidence.text


def test_what_is_copied_from_an_answer_finds_it_again(session: Session) -> None:
    """Message and fields as diag itself writes them."""
    shown = session.events[1].to_evidence().text

    assert "=" in shown
    assert find_matches(session, shown)[0].evidence.text == shown


@pytest.mark.parametrize(
    "text",
    [
        "a.+b",
        "ator-5c9b",  # of a pod only the beginning counts
        "elsewhere",  # another session's line
        "anna@example.com",
        "reason",  # a key is no value
        "\x1b[31m",
        "\x00",
        "x" * (1 << 20),
    ],
)
def test_what_is_not_there_finds_nothing(session: Session, text: str) -> None:
    """No expression, no other session, nothing that was redacted."""
    assert find_matches(session, text) == ()


@pytest.mark.parametrize("text", ["", "  \n", "x" * (1 << 20)])
def test_what_no_line_can_have_is_refused(text: str) -> None:
    """In one short sentence that does not repeat it."""
    with pytest.raises(UsageError) as refused:
        check_sought(text)
    assert len(str(refused.value)) < 100


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("anna@example.com", "an e-mail address"),
        ("+49 (30) 123-4567", "a phone number"),
        ("mail anna@example.com now", "a secret or personal data"),
        ("book me a table, please", "words that were spoken"),
        ("मुझे टिकट चाहिए", "words that were spoken"),
        ("ws_17536", ""),
        ("pod-a@2025-07-27T11:26:41.372Z#1", ""),
    ],
)
def test_what_redaction_took_is_said_to_be_lost_and_not_repeated(text: str, kind: str) -> None:
    """Nobody concludes that it was never logged, and no report gets what the logs were rid of."""
    searched, *lost = explain_unfound(text, 3)

    assert "3 sessions" in searched
    assert lost == ([f"TEXT may be {kind}: such are replaced and can not be found."] if kind else [])
    assert all(len(line) <= 80 for line in lost)
    assert text not in " ".join((searched, *lost))
