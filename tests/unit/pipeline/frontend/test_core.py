"""What the caller notices: texts and sounds, and when a reply is over."""

from __future__ import annotations

import re
import struct

from pipeline.frontend.core import ReplyWatch, is_audible, mint_browser_session_id
from pipeline.wire.identifiers import check_session_id


def _transcript(text: str) -> dict:
    return {"event": "final_transcript", "text": text}


def _reply(text: str) -> dict:
    return {"event": "llm_response_text", "text": text}


def test_an_id_is_minted_as_browsers_mint_it() -> None:
    """Milliseconds and nine characters; the servers believe it."""
    session_id = mint_browser_session_id()

    assert re.fullmatch(r"session_[0-9]{13}_[0-9a-z]{9}", session_id)
    assert check_session_id(session_id) is None
    assert session_id != mint_browser_session_id()


def test_a_sound_is_louder_than_what_a_codec_makes_of_silence() -> None:
    """By the loudest sample, of either sign."""
    assert is_audible(struct.pack("<3h", 0, -600, 0))
    assert not is_audible(struct.pack("<3h", 20, -20, 3))
    assert not is_audible(b"")


def test_a_reply_needs_text_and_sound() -> None:
    """Whichever comes later counts."""
    watch = ReplyWatch("hello")
    watch.note_message(_reply("good day"), 1.0)
    assert watch.answered_at is None
    watch.note_frame(audible=False, now_s=1.5)
    assert watch.answered_at is None
    watch.note_frame(audible=True, now_s=2.0)

    assert watch.answered_at == 2.0


def test_a_reply_is_over_after_its_last_sound() -> None:
    """A pause within a sentence is not the end."""
    watch = ReplyWatch("hello")
    watch.note_message(_reply("good day"), 1.0)
    for now in (2.0, 2.5, 3.2):
        watch.note_frame(audible=True, now_s=now)

    assert not watch.is_over(3.9)
    assert watch.is_over(4.1)


def test_without_a_reply_nothing_is_ever_over() -> None:
    """Only the caller's patience ends."""
    assert not ReplyWatch("hello").is_over(1e9)


def test_the_report_tells_what_came() -> None:
    """Transcript, reply, the length of its sound, and how long it took to come."""
    watch = ReplyWatch("Hello")
    watch.note_message(_transcript("hello"), 11.0)
    watch.note_message(_reply("good day"), 11.1)
    watch.note_frame(audible=True, now_s=11.5)
    watch.note_frame(audible=True, now_s=13.0)
    report = watch.to_report(spoken_at=10.0, gave_up_at=14.0)

    assert (report.said, report.heard, report.reply) == ("Hello", "hello", "good day")
    assert (report.reply_audio_ms, report.waited_ms) == (1500, 1500)


def test_the_report_tells_what_did_not_come() -> None:
    """Nulls, and the whole wait."""
    report = ReplyWatch("Hello").to_report(spoken_at=10.0, gave_up_at=14.0)

    assert (report.heard, report.reply, report.reply_audio_ms, report.waited_ms) == (None, None, 0, 4000)


def test_other_messages_are_no_reply() -> None:
    """Whatever a server sends."""
    watch = ReplyWatch("hello")
    for message in (
        {},
        {"event": "pong"},
        {"event": "llm_response_text"},
        {"event": "llm_response_text", "text": 7},
    ):
        watch.note_message(message, 1.0)
    watch.note_frame(audible=True, now_s=2.0)

    assert watch.answered_at is None


def test_a_reply_can_be_spoken_over_once_it_sounds() -> None:
    """Not at its first sound, and not when it has ended; how long it went on is told."""
    watch = ReplyWatch("hello")
    watch.note_message(_reply("good day"), 1.0)
    assert not watch.can_be_spoken_over(2.0)
    watch.note_frame(audible=True, now_s=2.0)
    assert not watch.can_be_spoken_over(2.1)
    watch.note_frame(audible=True, now_s=2.5)
    assert watch.can_be_spoken_over(2.5)
    assert not watch.can_be_spoken_over(3.5)

    watch.note_spoken_over(2.5)
    watch.note_frame(audible=True, now_s=2.75)
    assert watch.to_report(0.0, 4.0).silenced_ms == 250
    assert ReplyWatch("hello").to_report(0.0, 1.0).silenced_ms is None


def test_what_will_not_come_is_not_waited_for() -> None:
    """The report says why, and how long it took to know."""
    watch = ReplyWatch("hello")
    watch.note_message({"event": "turn_failed", "stage": "llm", "error": "the language model is away"}, 11.0)

    assert watch.is_over(11.0)
    assert watch.can_be_spoken_over(11.0)
    report = watch.to_report(spoken_at=10.0, gave_up_at=14.0)
    assert (report.reply, report.failed, report.waited_ms) == (None, "the language model is away", 1000)


def test_a_noise_before_the_sentence_ends_no_waiting() -> None:
    """It had no words; the sentence behind it has its own turn."""
    watch = ReplyWatch("hello")
    watch.note_message({"event": "turn_empty", "text": "no words were recognised"}, 1.0)
    assert not watch.is_over(1e9)
    assert watch.to_report(0.0, 1.0).failed == "no words were recognised"

    watch.note_message(_reply("good day"), 2.0)
    assert watch.to_report(0.0, 3.0).failed is None
