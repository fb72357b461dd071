"""The shapes of OpenAI's API ("Chat Completions", "Models"); what runs vLLM or Ollama speaks it too."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from pipeline.llm.core import Completion
from pipeline.llm.prompts import Prompt, read_flag, read_messages, read_text

_OWNER = "pipeline"


def read_prompt(fields: Mapping[str, Any]) -> Prompt:
    """The prompt of ``POST /v1/chat/completions``; raises `RequestRefusedError` (400)."""
    options = fields.get("stream_options")
    return Prompt(
        model=read_text(fields, "model"),
        texts=read_messages(fields),
        stream=read_flag(fields, "stream", default=False),
        with_usage=isinstance(options, dict) and options.get("include_usage") is True,
    )


def to_models(model: str) -> dict[str, Any]:
    """The answer of ``GET /v1/models``."""
    row = {"id": model, "object": "model", "created": 0, "owned_by": _OWNER}
    return {"object": "list", "data": [row]}


def to_completion(prompt: Prompt, completion: Completion, now_s: int) -> dict[str, Any]:
    """The whole reply in one object."""
    message = {"role": "assistant", "content": completion.text}
    return {
        **_head(prompt, "chat.completion", now_s),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": _usage(completion),
    }


def to_events(prompt: Prompt, completion: Completion, now_s: int) -> Iterator[bytes]:
    """The reply as server-sent events: the role, the pieces, the end, the usage if wanted, ``[DONE]``."""
    head = _head(prompt, "chat.completion.chunk", now_s)
    deltas: list[tuple[dict[str, str], str | None]] = [({"role": "assistant", "content": ""}, None)]
    deltas += [({"content": piece}, None) for piece in completion.pieces]
    deltas.append(({}, "stop"))
    for delta, reason in deltas:
        yield _event({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    if prompt.with_usage:
        yield _event({**head, "choices": [], "usage": _usage(completion)})
    yield b"data: [DONE]\n\n"


def to_error(error: str, code: str | None) -> dict[str, Any]:
    """An error of the client's."""
    return {"error": {"message": error, "type": "invalid_request_error", "param": None, "code": code}}


def _head(prompt: Prompt, kind: str, now_s: int) -> dict[str, Any]:
    digest = hashlib.sha256(json.dumps(prompt.texts).encode()).hexdigest()
    return {"id": f"chatcmpl-{digest[:24]}", "object": kind, "created": now_s, "model": prompt.model}


def _usage(completion: Completion) -> dict[str, int]:
    return {
        "prompt_tokens": completion.prompt_tokens,
        "completion_tokens": completion.tokens,
        "total_tokens": completion.prompt_tokens + completion.tokens,
    }


def _event(body: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"
