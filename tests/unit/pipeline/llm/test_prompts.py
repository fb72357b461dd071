"""How requests are read: understood, or refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.llm.prompts import parse_body, read_flag, read_messages, read_text
from pipeline.wire.refusals import RequestRefusedError


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b"\xff", b"[" * 100_000])
def test_a_body_is_a_json_object(body: bytes) -> None:
    """Anything else is 400."""
    with pytest.raises(RequestRefusedError) as refused:
        parse_body(body)
    assert refused.value.status == 400


def test_the_last_message_of_the_user_wants_the_reply() -> None:
    """What comes after it is left out; parts of text are joined, no content is none."""
    messages = [
        {"role": "system", "content": "be brief"},
        {"role": "assistant", "content": None},
        {
            "role": "user",
            "content": [{"type": "text", "text": "a"}, {"type": "image_url"}, {"type": "text", "text": "b"}],
        },
        {"role": "assistant", "content": "already answered"},
    ]

    assert read_messages({"messages": messages}) == ("be brief", "", "a b")


@pytest.mark.parametrize(
    "messages",
    [
        None,
        [],
        {},
        ["hello"],
        [{"role": "system", "content": "x"}],
        [{"role": "user", "content": 7}],
        [{"role": "user", "content": [{"type": "text"}]}],
    ],
)
def test_messages_of_another_shape_are_refused(messages: Any) -> None:
    """Also where nobody said anything."""
    with pytest.raises(RequestRefusedError):
        read_messages({"messages": messages})


def test_fields_have_their_types() -> None:
    """A string that says something, a boolean with a default."""
    assert read_text({"model": "m"}, "model") == "m"
    assert read_flag({}, "stream", default=True) is True
    assert read_flag({"stream": False}, "stream", default=True) is False
    for fields in ({}, {"model": ""}, {"model": 7}):
        with pytest.raises(RequestRefusedError, match="model"):
            read_text(fields, "model")
    with pytest.raises(RequestRefusedError, match="stream"):
        read_flag({"stream": "yes"}, "stream", default=True)
