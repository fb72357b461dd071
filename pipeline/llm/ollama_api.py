"""The shapes of Ollama's API (its "API reference"): a stream of JSON lines unless told otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.llm.core import Completion
from pipeline.llm.prompts import Prompt, read_flag, read_messages, read_text

Piece = Callable[[str], dict[str, Any]]


def read_generate(fields: Mapping[str, Any]) -> Prompt:
    """The prompt of ``POST /api/generate``; raises `RequestRefusedError` (400)."""
    texts = (read_text(fields, "prompt"),)
    return Prompt(read_text(fields, "model"), texts, read_flag(fields, "stream", default=True))


def read_chat(fields: Mapping[str, Any]) -> Prompt:
    """The prompt of ``POST /api/chat``; raises `RequestRefusedError` (400)."""
    texts = read_messages(fields)
    return Prompt(read_text(fields, "model"), texts, read_flag(fields, "stream", default=True))


def generate_piece(text: str) -> dict[str, Any]:
    """How ``/api/generate`` says `text`."""
    return {"response": text}


def chat_piece(text: str) -> dict[str, Any]:
    """How ``/api/chat`` says `text`."""
    return {"message": {"role": "assistant", "content": text}}


def to_tags(model: str) -> dict[str, Any]:
    """The answer of ``GET /api/tags``."""
    row = {"name": model, "model": model, "modified_at": _time(0), "size": 0, "digest": "", "details": {}}
    return {"models": [row]}


def to_object(
    prompt: Prompt, completion: Completion, piece: Piece, now_s: float, elapsed_ns: int
) -> dict[str, Any]:
    """The whole reply in one object."""
    head = {"model": prompt.model, "created_at": _time(now_s)}
    return {**head, **piece(completion.text), **_ending(completion, elapsed_ns)}


def to_lines(
    prompt: Prompt, completion: Completion, piece: Piece, now_s: float, elapsed_ns: int
) -> Iterator[bytes]:
    """The reply as JSON lines; the last one is empty and carries the counts."""
    head = {"model": prompt.model, "created_at": _time(now_s)}
    for text in completion.pieces:
        yield _line({**head, **piece(text), "done": False})
    yield _line({**head, **piece(""), **_ending(completion, elapsed_ns)})


def to_error(error: str) -> dict[str, Any]:
    """An error."""
    return {"error": error}


def _ending(completion: Completion, elapsed_ns: int) -> dict[str, Any]:
    """Durations are in nanoseconds."""
    return {
        "done": True,
        "done_reason": "stop",
        "total_duration": elapsed_ns,
        "load_duration": 0,
        "prompt_eval_count": completion.prompt_tokens,
        "prompt_eval_duration": 0,
        "eval_count": completion.tokens,
        "eval_duration": elapsed_ns,
    }


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _line(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode() + b"\n"
