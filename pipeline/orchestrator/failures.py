"""Why a turn has no reply, or no spoken one: for the log in detail, for the caller in plain words. Pure.

A caller who hears nothing cannot tell a slow service from a dead one. So whatever ends a turn short of
its reply ends it with a word to the caller, and that word holds no address, no status and nothing of
what was said or answered.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

_NAMES = {"stt": "speech recognition", "llm": "the language model", "tts": "speech synthesis"}


class Trouble(StrEnum):
    """What became of a stage, as its caller may hear it."""

    UNREACHABLE = "cannot be reached"
    LATE = "did not answer in time"
    REFUSED = "reported an error"
    UNUSABLE = "gave an answer that is of no use"
    EMPTY = "gave an empty answer"


class StageError(Exception):
    """A stage did not answer; the text is fit for a log line and holds nothing that was said."""

    def __init__(self, detail: str, trouble: Trouble) -> None:
        super().__init__(detail)
        self.trouble = trouble


@dataclass(frozen=True, slots=True)
class Failure:
    """What the caller is told: `stage` is one of a few fixed names, `reason` completes "no answer: ..."."""

    stage: str
    reason: str


CUT_OFF_TWICE = Failure("turn", "it was cut off twice")
OWN_FAULT = Failure("turn", "the orchestrator made a mistake")
NOT_SPOKEN = Failure("audio", "the spoken reply could not be handed on")


def of_stage(stage: str, trouble: Trouble) -> Failure:
    """The failure of ``stt``, ``llm`` or ``tts``."""
    return Failure(stage, f"{_NAMES[stage]} {trouble}")


def of_speech(reason: str) -> Failure:
    """Speech that did not become a turn: it was too long, or its rest never came."""
    return Failure("speech", f"what was said was dropped, {reason}")
