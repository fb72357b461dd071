"""The desk: the right topic, also where a word was misheard, and the same reply every time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.llm.core import complete, load_desk

DESK = load_desk()


def _topic(sentence: str) -> str:
    reply = DESK.choose_reply(sentence)
    return next((topic.name for topic in DESK.topics if topic.reply == reply), "fallback")


@pytest.mark.parametrize(
    ("sentence", "topic"),
    [
        ("Hello", "greeting"),
        ("Good morning, can you help me?", "greeting"),
        ("Do you have a table for two tonight", "booking"),
        ("I would like to book a table for four people", "booking"),
        ("What are your opening hours", "hours"),
        ("When do you close on Sunday", "hours"),
        ("Where are you located", "place"),
        ("How much is a main dish", "price"),
        ("Do you have vegetarian dishes", "diet"),
        ("What is on the menu today", "menu"),
        ("I want to cancel my reservation", "cancel"),
        ("Can I move my table to an hour later", "change"),
        ("At eight o'clock please", "time"),
        ("Thank you, goodbye", "goodbye"),
    ],
)
def test_a_sentence_finds_its_topic(sentence: str, topic: str) -> None:
    """What people ask a restaurant."""
    assert _topic(sentence) == topic


@pytest.mark.parametrize(
    ("misheard", "topic"),
    [
        ("do you have the table for two denied", "booking"),
        ("do you have a cable for two tonight", "booking"),
        ("i would like to book a tabel", "booking"),
        ("what are your opening ours", "hours"),
        ("what are you opening hour", "hours"),
        ("do you have vegetarians dishes", "diet"),
        ("i want to counsel my reservations", "cancel"),
        ("how much does it coast", "price"),
        ("thank you good by", "goodbye"),
    ],
)
def test_a_misheard_word_still_counts(misheard: str, topic: str) -> None:
    """What speech recognition makes of the same sentences."""
    assert _topic(misheard) == topic


@pytest.mark.parametrize("sentence", ["", "the quick brown fox", "7", "xyzzy", "\x00"])
def test_what_fits_nothing_is_asked_for_again(sentence: str) -> None:
    """Politely, and without making anything up."""
    assert _topic(sentence) == "fallback"
    assert "again" in DESK.fallback


@given(st.text())
def test_the_same_sentence_has_the_same_reply(sentence: str) -> None:
    """For any text at all."""
    assert DESK.choose_reply(sentence) == DESK.choose_reply(sentence)


def test_an_endless_sentence_is_cut() -> None:
    """The work is bounded, whatever is said."""
    assert (
        _topic(" ".join(f"word{chr(97 + n % 26)}{'x' * (n // 26)}" for n in range(5000)) + " table")
        == "fallback"
    )


def test_every_reply_can_be_spoken() -> None:
    """Short, and without digits or signs that a voice stumbles over."""
    for reply in (*(topic.reply for topic in DESK.topics), DESK.fallback):
        assert len(reply) < 120
        assert all(character.isalpha() or character in " .,?'" for character in reply)


def test_a_completion_counts_its_words() -> None:
    """The pieces of a stream are the whole reply; the prompt is all that was sent."""
    completion = complete(DESK, ["You answer the phone.", "hello"])

    assert "".join(completion.pieces) == completion.text
    assert completion.tokens == len(completion.text.split())
    assert completion.prompt_tokens == 5
