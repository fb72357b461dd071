"""Ollama's shapes."""

from __future__ import annotations

import json

from pipeline.llm.core import Completion
from pipeline.llm.ollama_api import (
    chat_piece,
    generate_piece,
    read_chat,
    read_generate,
    to_lines,
    to_object,
    to_tags,
)

COMPLETION = Completion("Good day to you.", 3)
PROMPT = read_generate({"model": "m", "prompt": "hello"})


def test_streaming_is_the_default() -> None:
    """As in Ollama, for both endpoints."""
    messages = [{"role": "user", "content": "hello"}]

    assert PROMPT.stream
    assert read_chat({"model": "m", "messages": messages}).stream
    assert not read_chat({"model": "m", "messages": messages, "stream": False}).stream


def test_one_object_is_the_whole_reply() -> None:
    """With counts, and durations in nanoseconds."""
    body = to_object(PROMPT, COMPLETION, generate_piece, 0.5, 1_000)

    assert (body["model"], body["response"], body["done"]) == ("m", "Good day to you.", True)
    assert body["created_at"] == "1970-01-01T00:00:00.500000Z"
    assert (body["prompt_eval_count"], body["eval_count"], body["total_duration"]) == (3, 4, 1_000)


def test_a_stream_is_the_same_reply_in_lines() -> None:
    """The last line is empty and done."""
    lines = [json.loads(line) for line in to_lines(PROMPT, COMPLETION, chat_piece, 0.0, 1_000)]

    assert "".join(line["message"]["content"] for line in lines) == COMPLETION.text
    assert [line["done"] for line in lines] == [False] * (len(lines) - 1) + [True]
    assert lines[-1]["done_reason"] == "stop"
    assert "eval_count" not in lines[0]


def test_tags_list_the_model() -> None:
    """One, by name."""
    assert [row["name"] for row in to_tags("restaurant-desk")["models"]] == ["restaurant-desk"]
