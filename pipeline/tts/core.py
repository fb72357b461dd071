"""What is judged without I/O: a request's fields in, an order for the voice out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.wire.flite import LONGEST_CHARS, VOICES, is_speakable
from pipeline.wire.refusals import RequestRefusedError


@dataclass(frozen=True, slots=True)
class Order:
    """What to say in which voice."""

    text: str
    voice: str


def read_order(fields: Mapping[str, Any], default_voice: str) -> Order:
    """The order in ``text`` and ``voice``; raises `RequestRefusedError` (400, 413)."""
    text, voice = fields.get("text"), fields.get("voice", default_voice)
    if not isinstance(text, str) or not is_speakable(text):
        raise RequestRefusedError(400, "the field text is missing, or holds nothing to say")
    if len(text) > LONGEST_CHARS:
        raise RequestRefusedError(413, f"the text is longer than {LONGEST_CHARS} characters")
    if voice not in VOICES:
        raise RequestRefusedError(400, f"the voice is none of {', '.join(VOICES)}")
    return Order(_without_control(text), voice)


def _without_control(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)
