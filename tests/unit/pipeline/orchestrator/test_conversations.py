"""What the LLM is told of the conversation: the last turns, of this session, in order."""

from __future__ import annotations

import pytest

from pipeline.orchestrator import conversations
from pipeline.orchestrator.conversations import MOST_TURNS, Conversations, Exchange


def _said(messages: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages if message["role"] != "system"]


def test_the_first_turn_stands_alone() -> None:
    """After the instruction comes what was said."""
    messages = Conversations().to_messages("a", "hello")

    assert messages[0]["role"] == "system"
    assert _said(messages) == [("user", "hello")]


def test_later_turns_follow_earlier_ones() -> None:
    """The caller's words and the answers alternate; another session's do not appear."""
    memory = Conversations()
    memory.add("a", Exchange("hello", "good day"))
    memory.add("b", Exchange("secret", "yes"))

    assert _said(memory.to_messages("a", "a table please")) == [
        ("user", "hello"),
        ("assistant", "good day"),
        ("user", "a table please"),
    ]


def test_only_the_last_turns_are_kept() -> None:
    """A long call does not make long prompts."""
    memory = Conversations()
    for n in range(MOST_TURNS + 3):
        memory.add("a", Exchange(f"said {n}", f"answered {n}"))
    said = _said(memory.to_messages("a", "now"))

    assert said[0] == ("user", "said 3")
    assert len(said) == 2 * MOST_TURNS + 1


def test_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was silent longest is forgotten."""
    monkeypatch.setattr(conversations, "MOST_SESSIONS", 2)
    memory = Conversations()
    for session in ("a", "b", "a", "c"):
        memory.add(session, Exchange("said", "answered"))

    assert len(_said(memory.to_messages("a", "now"))) == 5
    assert len(_said(memory.to_messages("b", "now"))) == 1
