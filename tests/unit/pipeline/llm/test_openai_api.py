"""OpenAI's shapes."""

from __future__ import annotations

import json

from pipeline.llm.core import Completion
from pipeline.llm.openai_api import read_prompt, to_completion, to_error, to_events, to_models
from pipeline.llm.prompts import Prompt

PROMPT = Prompt("restaurant-desk", ("be brief", "hello"), stream=False)
COMPLETION = Completion("Good day to you.", 3)


def test_a_completion_has_its_message_and_usage() -> None:
    """All that clients look at, and an ID that depends on the messages only."""
    body = to_completion(PROMPT, COMPLETION, 1_700_000_000)

    assert body["object"] == "chat.completion"
    assert body["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Good day to you."},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ]
    assert body["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
    assert body["id"] == to_completion(PROMPT, COMPLETION, 1_800_000_000)["id"]


def test_a_stream_is_the_same_reply_in_pieces() -> None:
    """The role first, the finish reason last, usage only if asked for, then ``[DONE]``."""
    prompt = Prompt(PROMPT.model, PROMPT.texts, stream=True, with_usage=True)
    events = list(to_events(prompt, COMPLETION, 1_700_000_000))
    assert all(event.startswith(b"data: ") and event.endswith(b"\n\n") for event in events)
    assert events.pop() == b"data: [DONE]\n\n"
    *chunks, usage = [json.loads(event.removeprefix(b"data: ")) for event in events]
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]

    assert deltas[0]["role"] == "assistant"
    assert "".join(delta.get("content", "") for delta in deltas) == COMPLETION.text
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks] == [None] * (len(chunks) - 1) + ["stop"]
    assert (usage["choices"], usage["usage"]["total_tokens"]) == ([], 7)
    assert len(list(to_events(PROMPT, COMPLETION, 0))) == len(events)


def test_stream_options_ask_for_usage() -> None:
    """Whatever else they hold."""
    fields = {"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": True}

    assert read_prompt({**fields, "stream_options": {"include_usage": True}}).with_usage
    assert not read_prompt({**fields, "stream_options": 7}).with_usage


def test_models_and_errors_have_their_shapes() -> None:
    """A list of one model; an error object with type and code."""
    assert [row["id"] for row in to_models("restaurant-desk")["data"]] == ["restaurant-desk"]
    assert to_error("no", "model_not_found")["error"] == {
        "message": "no",
        "type": "invalid_request_error",
        "param": None,
        "code": "model_not_found",
    }
