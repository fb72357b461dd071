"""A session's turns and parts in words: only what was seen."""

from __future__ import annotations

from collections import Counter

from diag.model.session import Session
from diag.model.turns import TurnOutcome
from diag.session.identity.presence import BIND, CONSUME, MEDIA_FACETS, WS_AUDIO

_NOT_ANSWERED = {
    TurnOutcome.INTERRUPTED: "the caller interrupted",
    TurnOutcome.REPLAYED: "got an old answer",
    TurnOutcome.UNANSWERED: "got no reply",
    TurnOutcome.EMPTY: "held no words that speech recognition heard",
    TurnOutcome.ABANDONED: "the caller did not wait for",
    TurnOutcome.OPEN: "was still being worked on",
}


def describe_turns(session: Session) -> str:
    """How many turns were answered, and what became of the others; no full stop."""
    counts = Counter(turn.outcome for turn in session.turns)
    turns, answered = len(session.turns), counts[TurnOutcome.ANSWERED]
    if answered < turns:
        rest = (f"{counts[outcome]} {words}" for outcome, words in _NOT_ANSWERED.items() if counts[outcome])
        return f"{answered} of {turns} turn{'s were' if turns > 1 else ' was'} answered ({', '.join(rest)})"
    match turns:
        case 0:
            return "No turn was seen"
        case 1:
            return "The one turn was answered"
        case 2:
            return "Both turns were answered"
        case _:
            return f"All {turns} turns were answered"


def describe_parts(session: Session) -> str:
    """The parts of the session that were seen to belong together: ``media, socket and replies``."""
    facets = session.facets
    parts = (
        ("media", bool(facets & MEDIA_FACETS)),
        ("socket", BIND in facets),
        ("audio", bool(facets & {CONSUME, WS_AUDIO})),
        ("replies", True),
    )
    *most, last = (name for name, seen in parts if seen)
    return f"{', '.join(most)} and {last}" if most else last
