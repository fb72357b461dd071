"""What the LLM is told of the conversation: the last turns, of this session, in order."""

from __future__ import annotations

import json

import pytest

from pipeline.orchestrator import conversations
from pipeline.orchestrator.conversations import MOST_TURNS, Conversations
from pipeline.orchestrator.memory import StoredExchange


def _said(messages: list[dict[str, str]]) -> list[tuple[str, str]]:
    return [(message["role"], message["content"]) for message in messages if message["role"] != "system"]


def test_the_first_turn_stands_alone() -> None:
    """After the instruction comes what was said."""
    messages = Conversations().to_messages("a", "turn_now", "hello")

    assert messages[0]["role"] == "system"
    assert _said(messages) == [("user", "hello")]


def test_later_turns_follow_earlier_ones() -> None:
    """The caller's words and the answers alternate; another session's do not appear."""
    memory = Conversations()
    memory.add(StoredExchange("turn_1", "a", "hello", "good day"))
    memory.add(StoredExchange("turn_2", "b", "secret", "yes"))

    assert _said(memory.to_messages("a", "turn_now", "a table please")) == [
        ("user", "hello"),
        ("assistant", "good day"),
        ("user", "a table please"),
    ]


def test_only_the_last_turns_are_kept() -> None:
    """A long call does not make long prompts."""
    memory = Conversations()
    for n in range(MOST_TURNS + 3):
        memory.add(StoredExchange(f"turn_{n}", "a", f"said {n}", f"answered {n}"))
    said = _said(memory.to_messages("a", "turn_now", "now"))

    assert said[0] == ("user", "said 3")
    assert len(said) == 2 * MOST_TURNS + 1


def test_sessions_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that was silent longest is forgotten."""
    monkeypatch.setattr(conversations, "MOST_SESSIONS", 2)
    memory = Conversations()
    for number, session in enumerate(("a", "b", "a", "c")):
        memory.add(StoredExchange(f"turn_{number}", session, "said", "answered"))

    assert len(_said(memory.to_messages("a", "turn_now", "now"))) == 5
    assert len(_said(memory.to_messages("b", "turn_now", "now"))) == 1


def test_a_turn_that_is_led_again_does_not_hear_itself() -> None:
    """What it had answered before it was cut off is no history of its own, and stands only once."""
    memory = Conversations()
    memory.add(StoredExchange("turn_1", "a", "hello", "good day"))

    assert _said(memory.to_messages("a", "turn_1", "hello")) == [("user", "hello")]

    memory.add(StoredExchange("turn_1", "a", "hello", "good morning"))
    assert _said(memory.to_messages("a", "turn_2", "now"))[:2] == [
        ("user", "hello"),
        ("assistant", "good morning"),
    ]


def test_what_is_remembered_is_kept_and_comes_back() -> None:
    """The next process goes on with the same conversation."""
    kept: list[StoredExchange] = []
    Conversations(kept.append).add(StoredExchange("turn_1", "a", "hello", "good day"))

    after = Conversations(before=kept)
    assert _said(after.to_messages("a", "turn_2", "now"))[0] == ("user", "hello")


def test_what_is_known_already_is_not_undone_by_what_is_told_late() -> None:
    """A conversation as it stood two turns ago comes back from Kafka: the newer one stays."""
    memory = Conversations()
    told = []
    for number in (1, 2, 3):
        memory.add(StoredExchange(f"turn_{number}", "a", f"said {number}", "yes"))
        told.append(memory.tell("a"))
    for late in told:
        memory.hear("a", late)

    assert memory.tell("a") == told[-1]


def test_a_process_that_has_begun_again_knows_the_turns_of_both_replicas() -> None:
    """Its own, which it kept, and those that another one led in between: as they are read again."""
    ours, theirs = Conversations(), Conversations()
    ours.add(StoredExchange("turn_1", "a", "one", "yes"))
    theirs.hear("a", ours.tell("a"))
    theirs.add(StoredExchange("turn_2", "a", "two", "yes"))
    ours.hear("a", theirs.tell("a"))
    ours.add(StoredExchange("turn_3", "a", "three", "yes"))

    after = Conversations(
        before=[StoredExchange("turn_1", "a", "one", "yes"), StoredExchange("turn_3", "a", "three", "yes")]
    )
    for told in (theirs.tell("a"), ours.tell("a")):
        after.hear("a", told)
    assert after.tell("a") == ours.tell("a")


def test_an_endless_answer_is_not_told_whole() -> None:
    """A record in Kafka has its bounds, and so has a prompt."""
    memory = Conversations()
    memory.add(StoredExchange("turn_1", "a", "x" * 10**6, "y" * 10**6))

    assert len(memory.tell("a")) < 5_000


def test_what_another_replica_tells_has_the_same_bounds() -> None:
    """Whoever can write into the topic does not fill the memory."""
    memory = Conversations()
    memory.hear("a", json.dumps([("turn_1", "x" * 10**6, "y" * 10**6)]))
    assert 1_000 < len(memory.tell("a")) < 5_000

    with pytest.raises(ValueError, match="no turns"):
        memory.hear("b", json.dumps([("turn_1" * 10**5, "said", "answered")]))
    assert list(memory) == ["a"]
