"""Speech by the `flite` program: text in, PCM out."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from pathlib import Path

from pipeline.wire.wav import WavError, read_wav

PROGRAM = "flite"
VOICES = ("rms", "slt")  # both speak at 16 kHz
LONGEST_CHARS = 500

_TIMEOUT_S = 10.0


class SpeechError(Exception):
    """flite did not speak; the text is fit for a log line."""


def find_flite() -> str | None:
    """The program's path; None where it is not installed."""
    return shutil.which(PROGRAM)


def is_speakable(text: str) -> bool:
    """Whether there is anything in `text` to say."""
    return any(character.isalnum() for character in text)


async def speak(text: str, voice: str) -> bytes:
    """`text` in `voice` as PCM; raises `SpeechError`.

    The text goes through a file, so that it can be taken neither for an option nor for a file name.
    The result does too, because flite completes the header of its WAV at the end.
    """
    program = find_flite()
    if program is None:
        raise SpeechError(f"the program {PROGRAM} is not installed")
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        source, target = Path(folder, "text"), Path(folder, "speech.wav")
        source.write_text(text, "utf-8", errors="replace")  # noqa: ASYNC240 - a few hundred bytes
        await _run(program, "-voice", voice, "-f", str(source), "-o", str(target))
        try:
            return read_wav(target.read_bytes())  # noqa: ASYNC240 - at most a megabyte, just written
        except (OSError, WavError) as error:
            raise SpeechError(f"{PROGRAM} left no speech behind: {type(error).__name__}") from error


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(_TIMEOUT_S):
            status = await process.wait()
    except TimeoutError as error:
        raise SpeechError(f"{PROGRAM} took longer than {_TIMEOUT_S:g} s") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if status != 0:
        raise SpeechError(f"{PROGRAM} ended with status {status}")
