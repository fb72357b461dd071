"""The utterance detector: what is speech, where it begins, where it ends, and that no audio is lost."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pipeline.media_server.core import (
    CHUNK_BYTES,
    FRAME_BYTES,
    SpeechChunk,
    SpeechContinues,
    SpeechEnded,
    SpeechEvent,
    SpeechStarted,
    UtteranceDetector,
    new_vad,
)
from pipeline.wire.flite import speak

VOICED, SILENT = b"\x01" * FRAME_BYTES, b"\x00" * FRAME_BYTES
PRE_ROLL_FRAMES, END_FRAMES, LONGEST_FRAMES = 10, 30, 1000


def _detector() -> UtteranceDetector:
    return UtteranceDetector(lambda frame: frame[0] == 1)


def _feed(detector: UtteranceDetector, frames: Iterable[bytes]) -> list[SpeechEvent]:
    return [event for frame in frames for event in detector.feed(frame)]


def _pcm(events: Iterable[SpeechEvent]) -> bytes:
    return b"".join(event.pcm for event in events if isinstance(event, SpeechChunk))


def test_silence_is_no_utterance() -> None:
    """Nothing comes of it, however long it lasts."""
    assert _feed(_detector(), [SILENT] * 500) == []


@pytest.mark.parametrize(
    "pattern", [[VOICED, SILENT], [VOICED, SILENT, SILENT], [VOICED, VOICED] + [SILENT] * 4]
)
def test_single_frames_are_no_utterance(pattern: list[bytes]) -> None:
    """Clicks and crackle, however often they come."""
    assert _feed(_detector(), pattern * 100) == []


def test_speech_starts_an_utterance() -> None:
    """Within 120 ms of voice."""
    events = _feed(_detector(), [SILENT] * 50 + [VOICED] * 6)

    assert events[0] == SpeechStarted(1)


def test_an_utterance_begins_before_its_first_voiced_frame() -> None:
    """At least the pre-roll is part of it: soft consonants are not voiced."""
    detector = _detector()
    events = _feed(detector, [SILENT] * 50 + [VOICED] * 20) + list(detector.finish())
    pcm = _pcm(events)

    assert pcm.count(VOICED) == 20
    assert pcm.index(b"\x01") // FRAME_BYTES >= PRE_ROLL_FRAMES


def test_an_utterance_ends_after_600_ms_of_silence() -> None:
    """Not earlier, not later; what was voiced is what is counted as speech."""
    detector = _detector()
    events = _feed(detector, [SILENT] * 20 + [VOICED] * 25 + [SILENT] * (END_FRAMES - 1))
    assert not any(isinstance(event, SpeechEnded) for event in events)

    events = _feed(detector, [SILENT])
    last, ended = events

    assert isinstance(last, SpeechChunk)
    assert last.last
    assert ended == SpeechEnded(1, speech_ms=24 * 20)  # the first voiced frame does not count yet


def test_a_pause_does_not_end_an_utterance() -> None:
    """People breathe."""
    frames = [VOICED] * 20 + [SILENT] * (END_FRAMES - 2) + [VOICED] * 20
    events = _feed(_detector(), frames)

    assert [event for event in events if isinstance(event, SpeechStarted)] == [SpeechStarted(1)]
    assert not any(isinstance(event, SpeechEnded) for event in events)


def test_a_click_does_not_keep_an_utterance_open() -> None:
    """A single voiced frame in the silence is no speech."""
    silence = [SILENT] * (END_FRAMES - 10) + [VOICED] + [SILENT] * 9
    events = _feed(_detector(), [VOICED] * 20 + silence)

    assert any(isinstance(event, SpeechEnded) for event in events)


def test_audio_comes_in_chunks_of_100_ms() -> None:
    """All of that size but the last one, which ends the utterance."""
    events = _feed(_detector(), [VOICED] * 23 + [SILENT] * END_FRAMES)
    chunks = [event for event in events if isinstance(event, SpeechChunk)]

    assert {len(chunk.pcm) for chunk in chunks[:-1]} == {CHUNK_BYTES}
    assert [chunk.last for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert {chunk.utterance for chunk in chunks} == {1}


def test_no_frame_is_lost_or_doubled() -> None:
    """From the pre-roll to the end, the audio is what came in."""
    frames = [bytes([1, n % 251]) * (FRAME_BYTES // 2) for n in range(100)]
    detector = _detector()
    events = _feed(detector, frames) + list(detector.finish())

    assert _pcm(events) == b"".join(frames)


def test_a_very_long_utterance_is_cut_and_goes_on() -> None:
    """After 20 s a new one begins at once, and no audio is lost in between."""
    frames = [bytes([1, n % 251]) * (FRAME_BYTES // 2) for n in range(LONGEST_FRAMES + 200)]
    detector = _detector()
    events = _feed(detector, frames) + list(detector.finish())

    assert [event.utterance for event in events if isinstance(event, SpeechStarted)] == [1, 2]
    assert [event.utterance for event in events if isinstance(event, SpeechEnded)] == [1, 2]
    assert _pcm(events) == b"".join(frames)


def test_silence_after_a_cut_is_no_utterance() -> None:
    """A cut alone does not begin a new one."""
    events = _feed(_detector(), [VOICED] * LONGEST_FRAMES + [SILENT] * 100)

    assert [event for event in events if isinstance(event, SpeechStarted)] == [SpeechStarted(1)]
    assert isinstance(events[-1], SpeechEnded)


def test_the_end_of_the_audio_ends_the_utterance() -> None:
    """Whoever hangs up in the middle of a word has said what he said; a second end is none."""
    detector = _detector()
    _feed(detector, [VOICED] * 20)

    assert [type(event) for event in detector.finish()] == [SpeechChunk, SpeechEnded]
    assert list(detector.finish()) == []


def test_utterances_are_counted() -> None:
    """From 1, within the session."""
    spoken = [VOICED] * 20 + [SILENT] * 40
    events = _feed(_detector(), spoken * 3)

    assert [event.utterance for event in events if isinstance(event, SpeechStarted)] == [1, 2, 3]


@pytest.mark.part("flite")
async def test_real_speech_is_one_utterance() -> None:
    """The VAD hears a sentence of flite as one piece, and silence as nothing."""
    speech = await speak("Do you have a table for two tonight", "slt")
    audio = bytes(16_000) + speech + bytes(64_000)
    frames = [audio[n : n + FRAME_BYTES] for n in range(0, len(audio) - FRAME_BYTES + 1, FRAME_BYTES)]
    events = _feed(UtteranceDetector(new_vad()), frames)
    (ended,) = [event for event in events if isinstance(event, SpeechEnded)]

    assert 1200 < ended.speech_ms < 2500


def test_who_speaks_on_means_it_after_200_ms() -> None:
    """Of voice within 300 ms; from then on at each frame of speech, and not in the pauses."""
    detector = _detector()
    heard = [list(detector.feed(frame)) for frame in [SILENT] * 20 + [VOICED] * 20 + [SILENT] * 5]
    meant = [n for n, events in enumerate(heard) if SpeechContinues(1) in events]

    assert 10 <= meant[0] - 20 <= 12
    assert meant == list(range(meant[0], 40))


@pytest.mark.parametrize("voiced", range(1, 10))
def test_a_short_noise_is_not_meant(voiced: int) -> None:
    """Neither once nor again and again."""
    events = _feed(_detector(), ([VOICED] * voiced + [SILENT] * 15) * 10)

    assert not any(isinstance(event, SpeechContinues) for event in events)
