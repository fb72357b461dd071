"""flite: text in, PCM out, and no text can be anything but text."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from pipeline.wire import flite
from pipeline.wire.flite import SpeechError, is_speakable, speak
from pipeline.wire.records import BYTES_PER_MS


def _install(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Another program under flite's name."""
    program = folder / "flite"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.part("flite")
@pytest.mark.parametrize("voice", flite.VOICES)
async def test_both_voices_speak(voice: str) -> None:
    """A sentence of five words takes between one and five seconds."""
    pcm = await speak("What are your opening hours", voice)

    assert 1000 < len(pcm) / BYTES_PER_MS < 5000


@pytest.mark.part("flite")
async def test_a_text_that_looks_like_an_option_is_spoken() -> None:
    """It is neither taken for an option nor for a file nor for markup."""
    for text in ("-lv", "/etc/hostname", "<speak>$(id)</speak>"):
        assert len(await speak(text, "rms")) > 300 * BYTES_PER_MS


async def test_a_failing_program_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its status is told, its output is not."""
    _install(tmp_path, monkeypatch, "echo said >&2; exit 3")

    with pytest.raises(SpeechError, match=r"^flite ended with status 3$"):
        await speak("hello", "rms")


async def test_a_program_that_leaves_nothing_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status 0 alone is no speech."""
    _install(tmp_path, monkeypatch, "exit 0")

    with pytest.raises(SpeechError, match="left no speech behind"):
        await speak("hello", "rms")


async def test_a_program_that_hangs_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After its time, and it is waited for, so that no zombie stays."""
    _install(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr(flite, "_TIMEOUT_S", 0.05)

    with pytest.raises(SpeechError, match="took longer than"):
        await speak("hello", "rms")


async def test_without_the_program_there_is_no_speech(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names what is missing."""
    monkeypatch.setenv("PATH", "/nonexistent")

    with pytest.raises(SpeechError, match="flite is not installed"):
        await speak("hello", "rms")


def test_punctuation_alone_is_nothing_to_say() -> None:
    """What came of it would be silence."""
    assert is_speakable("No. 7")
    assert not is_speakable(" ... !\n")
