"""One turn: what was said, through STT, LLM and TTS, to the caller. It knows the way, not the means.

A turn goes its whole way also when nobody is there to hear it: whether each part of the reply is
delivered is decided anew at the moment of its delivery.
"""

from __future__ import annotations

import asyncio
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol, TypeVar

from pipeline.orchestrator.conversations import Conversations
from pipeline.orchestrator.core import Utterance
from pipeline.orchestrator.failures import NOT_SPOKEN, OWN_FAULT, Failure, StageError, of_stage
from pipeline.orchestrator.memory import StoredExchange
from pipeline.orchestrator.protocol import REPLY_TEXT, TRANSCRIPT, TURN_EMPTY
from pipeline.wire.correlation import Correlation
from pipeline.wire.log_lines import BoundLog, Log
from pipeline.wire.metrics import SessionMetrics
from pipeline.wire.records import BYTES_PER_MS, StageLog

Result = TypeVar("Result", str, bytes)

_NO_WORDS = "no words were recognised"


class Outcome(StrEnum):
    """How a turn ended, or one delivery: the worst of a turn's deliveries is the turn's.

    One that is ``left`` is led by the next process, or another replica.
    """

    DELIVERED = "delivered"
    WITHHELD = "withheld"
    EMPTY = "empty"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Turn:
    """One utterance on its way to its reply; `interrupted` is set before it is cancelled for that."""

    turn_id: str
    utterance: Utterance
    interrupted: asyncio.Event = field(default_factory=asyncio.Event, compare=False, repr=False)

    @property
    def session_id(self) -> str:
        """Whose turn it is."""
        return self.utterance.session_id

    @property
    def correlation(self) -> Correlation:
        """The IDs for the requests of this turn."""
        return Correlation(self.session_id, self.turn_id, self.utterance.trace)


class Stages(Protocol):
    """The three stages; each raises `StageError`."""

    async def transcribe(self, turn: Turn, pcm: bytes) -> str:
        """PCM to text; empty if nothing was understood."""
        ...

    async def generate(self, turn: Turn, messages: list[dict[str, str]]) -> str:
        """The reply to the last of `messages`."""
        ...

    async def synthesize(self, turn: Turn, text: str) -> bytes:
        """Text to PCM."""
        ...


class Delivery(Protocol):
    """Brings one part of a reply to the caller, if exactly this session has a socket."""

    async def send_text(self, turn: Turn, message_type: str, text: str) -> Outcome:
        """By the socket."""
        ...

    async def send_audio(self, turn: Turn, pcm: bytes) -> Outcome:
        """By way of the media server."""
        ...

    async def send_failure(self, turn: Turn, failure: Failure) -> None:
        """In place of what will not come."""
        ...


class TurnConductor:
    """Leads turns along their way."""

    def __init__(
        self,
        stages: Stages,
        delivery: Delivery,
        publish_stage: Callable[[StageLog], None],
        conversations: Conversations,
        *,
        metrics: SessionMetrics,
        log: Log,
    ) -> None:
        self._stages = stages
        self._delivery = delivery
        self._publish_stage = publish_stage
        self._metrics = metrics
        self._log = log
        self._conversations = conversations

    async def run(self, turn: Turn) -> None:
        """Lead `turn` to its end; whatever happens, the end is one line."""
        log = turn.correlation.bind(self._log)
        log.write("turn-started")
        started = time.monotonic()
        outcome = Outcome.FAILED
        try:
            with self._metrics.time_stage("turn"):
                outcome = await self._lead(turn, log)
        except asyncio.CancelledError:
            outcome = Outcome.INTERRUPTED if turn.interrupted.is_set() else Outcome.LEFT
            raise
        finally:
            log.write("turn-finished", outcome=outcome.value, total_ms=_elapsed_ms(started))

    async def _lead(self, turn: Turn, log: BoundLog) -> Outcome:
        """To the reply, or to the word that there is none: a caller is never left in silence."""
        try:
            return await self._converse(turn, log)
        except _TurnFailedError as error:  # what failed has its own line
            failure = error.failure
        except Exception as error:  # noqa: BLE001  the session's next turns are waiting behind this one
            log.write("stage-failed", stage="turn", error=_locate(error))
            failure = OWN_FAULT
        await self._delivery.send_failure(turn, failure)
        return Outcome.FAILED

    async def _converse(self, turn: Turn, log: BoundLog) -> Outcome:
        pcm = turn.utterance.pcm
        said = await self._run_stage(
            turn, "stt", self._stages.transcribe(turn, pcm), {"audio_ms": turn.utterance.audio_ms}
        )
        if not said:
            log.write("transcript-empty")
            await self._delivery.send_text(turn, TURN_EMPTY, _NO_WORDS)
            return Outcome.EMPTY
        outcomes = [await self._delivery.send_text(turn, TRANSCRIPT, said)]
        messages = self._conversations.to_messages(turn.session_id, turn.turn_id, said)
        about = {"prompt_chars": len(said), "messages": len(messages)}
        reply = await self._run_stage(turn, "llm", self._stages.generate(turn, messages), about)
        self._conversations.add(StoredExchange(turn.turn_id, turn.session_id, said, reply))
        outcomes.append(await self._delivery.send_text(turn, REPLY_TEXT, reply))
        speech = await self._run_stage(
            turn, "tts", self._stages.synthesize(turn, reply), {"text_chars": len(reply)}
        )
        outcomes.append(await self._delivery.send_audio(turn, speech))
        if outcomes[-1] is Outcome.FAILED:
            raise _TurnFailedError(NOT_SPOKEN)
        return _worst(outcomes)

    async def _run_stage(
        self, turn: Turn, stage: str, work: Awaitable[Result], about: dict[str, int]
    ) -> Result:
        log = turn.correlation.bind(self._log)
        log.write("stage-state", stage=stage, state="executing")
        started = time.monotonic()
        try:
            with self._metrics.time_stage(stage):
                result = await work
        except StageError as error:
            log.write("stage-failed", stage=stage, error=str(error))
            raise _TurnFailedError(of_stage(stage, error.trouble)) from error
        elapsed_ms = _elapsed_ms(started)
        size = _size(result)
        log.write("stage-state", stage=stage, state="complete", processing_ms=elapsed_ms, **size)
        data: dict[str, Any] = {**about, **size}
        if isinstance(result, bytes):
            data["audio_ms"] = len(result) // BYTES_PER_MS
        self._publish_stage(
            StageLog(turn.session_id, turn.turn_id, stage, elapsed_ms, data, turn.utterance.trace)
        )
        return result


class _TurnFailedError(Exception):
    """The turn ends here."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.reason)
        self.failure = failure


def _locate(error: Exception) -> str:
    """Its kind and its place; its text may quote what was said."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {Path(place.filename).name}:{place.lineno}"


def _size(result: str | bytes) -> dict[str, int]:
    return {"chars": len(result)} if isinstance(result, str) else {"bytes": len(result)}


def _worst(outcomes: list[Outcome]) -> Outcome:
    worst_first = (Outcome.FAILED, Outcome.WITHHELD, Outcome.DELIVERED)
    return next(outcome for outcome in worst_first if outcome in outcomes)


def _elapsed_ms(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
