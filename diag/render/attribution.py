"""What is said of the lines that were attributed to a session."""

from __future__ import annotations

from diag.model.session import Session


def describe_attributed(session: Session) -> str:
    """How many there are and how sure that is, in a sentence; empty where there are none."""
    count, left = len(session.attributed), session.not_attributed
    parts = []
    if count:
        doubtful = sum(one.ambiguous for one in session.attributed)
        parts.append(f"{_lines(count)} without an ID attributed, {_share(doubtful, count)} ambiguous")
    if left:
        parts.append(f"{left} more around it were too many to look at")
    return "; ".join(parts)


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count} lines"


def _share(part: int, whole: int) -> str:
    if part in (0, whole):
        return "none" if part == 0 else "all" if whole > 1 else "and"
    return f"{part} of them"
