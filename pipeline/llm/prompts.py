"""What the two APIs have in common: a request that was understood, and how its fields are read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.wire.refusals import RequestRefusedError


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request to complete: the last of `texts` wants a reply.

    Attributes:
        model: the model that was asked for.
        texts: what was said so far, by whomever; never empty, the last by the user.
        stream: the reply is wanted in pieces.
        with_usage: a stream is to end with its usage.
    """

    model: str
    texts: tuple[str, ...]
    stream: bool
    with_usage: bool = False

    @property
    def chars(self) -> int:
        """The length of what wants a reply."""
        return len(self.texts[-1])


def parse_body(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a request; raises `RequestRefusedError` (400)."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RequestRefusedError(400, "the body is not JSON") from error
    if not isinstance(fields, dict):
        raise RequestRefusedError(400, "the body is not a JSON object")
    return fields


def read_text(fields: Mapping[str, Any], name: str) -> str:
    """A field that must be a string that is not empty."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise RequestRefusedError(400, f"{name} is not a string, or is empty")
    return value


def read_flag(fields: Mapping[str, Any], name: str, *, default: bool) -> bool:
    """A field that is a boolean or absent."""
    value = fields.get(name)
    if value is None:
        return default
    if not isinstance(value, bool):
        raise RequestRefusedError(400, f"{name} is not a boolean")
    return value


def read_messages(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """The texts of ``messages`` up to the last one of the user."""
    messages = fields.get("messages")
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise RequestRefusedError(400, "messages is not an array of objects")
    last = max((n for n, message in enumerate(messages) if message.get("role") == "user"), default=None)
    if last is None:
        raise RequestRefusedError(400, "messages holds no message of the user")
    return tuple(_read_content(message.get("content")) for message in messages[: last + 1])


def _read_content(content: Any) -> str:
    """A string, or the text parts of an array, as OpenAI's API has both; null is an empty message."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(part, dict) for part in content):
        texts = [part.get("text") for part in content if part.get("type") == "text"]
        if all(isinstance(text, str) for text in texts):
            return " ".join(map(str, texts))
    raise RequestRefusedError(400, "the content of a message is neither a string nor an array of parts")
