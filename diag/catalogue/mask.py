"""A message -> what is constant in it, and slots for what varies: numbers, IDs, quotations, tails.

What stands in a slot is decided by the message alone, so the order of lines plays no part. When in
doubt a word is a slot: a name or a secret that is taken for constant would be printed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache


class Slot(Enum):
    """What kind of value varies; the value is the regular expression for it."""

    WORD = r"[\w.+-]+"
    ODD_WORD = r"[^\s=,;:()\[\]{}<>\"'|/&?]+"
    DOUBLE_QUOTED = r'[^"]*'
    SINGLE_QUOTED = r"[^']*"
    STAMP = r"\d{4}.\d\d.\d\d.\d\d:\d\d:\d\d[\d.,]*(?:Z|[+-]\d\d:?\d\d)?"
    PSEUDONYM = r"<(?:ip|phone|e-mail) [0-9a-f]{6}>"
    TAIL = r".*"
    REST = r"[\s\S]*"


Part = str | Slot
Parts = tuple[Part, ...]

MOST_PARTS = 80
LONGEST = 400
"""Characters of a message that are looked at; the rest is a tail."""

_TOKEN = re.compile(
    r"(?P<pseudonym><(?:ip|phone|e-mail) [0-9a-f]{6}>)"
    r"|(?P<stamp>(?<!\d)\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)"
    r"|\"(?P<double>[^\"\n]*)\""
    r"|(?<!\w)'(?P<single>[^'\n]*)'"
    r"|(?P<word>[^\s=,;:()\[\]{}<>\"'|/&?]+)"
    r"|(?P<gap>\s+)"
    r"|(?P<mark>.)",
    re.DOTALL,
)
_END = re.compile(r"[.!…]+$")
_RANDOM = re.compile(r"(?=.*[a-z])(?=.*[A-Z])[\w-]{20,}|[\w-]{28,}")
_PLAIN = re.compile(Slot.WORD.value)
# What follows such a word and a colon may be what a person said.
_SAID = re.compile(
    r"\b(?:said|says|heard|transcript\w*|utterance|text|prompt|response|reply|replied|answer\w*|input|output"
    r"|content|message|speech|asr|user|caller|customer|query|question|recogni[sz]ed|intent)\W{0,3}$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Masked:
    """A message's parts, and the values of its slots in order."""

    parts: Parts
    values: tuple[str, ...]


@lru_cache(maxsize=4096)
def mask_message(message: str) -> Masked:
    """The parts of `message`; joined, with the values in their slots, they are the message."""
    first, newline, rest = message.partition("\n")
    head, cut = first[:LONGEST], first[LONGEST:]
    parts, values = _mask_line(head)
    if cut and parts[-1] is Slot.TAIL:
        values[-1] += cut
    elif cut:
        parts, values = [*parts, Slot.TAIL], [*values, cut]
    if newline:
        parts, values = [*parts, "\n", Slot.REST], [*values, rest]
    return Masked(tuple(parts), tuple(values))


def find_constants(message: str) -> tuple[str, ...]:
    """What of a message no catalogue knows is likely the same each time, in order."""
    pieces = [""]
    for part in mask_message(message).parts:
        if isinstance(part, Slot):
            pieces.append("")
        else:
            pieces[-1] += part
    return tuple(piece for piece in pieces if piece.strip())


def _mask_line(line: str) -> tuple[list[Part], list[str]]:
    parts: list[Part] = []
    values: list[str] = []
    for found in _TOKEN.finditer(line):
        is_gap = found.lastgroup == "gap"
        if len(parts) >= MOST_PARTS or (not is_gap and _begins_speech(line, found.start(), parts)):
            return [*parts, Slot.TAIL], [*values, line[found.start() :]]
        for part, value in _mask_token(found, after_equals=bool(parts) and parts[-1] == "="):
            parts.append(part)
            if isinstance(part, Slot):
                values.append(value)
    return parts, values


def _begins_speech(line: str, at: int, parts: list[Part]) -> bool:
    before = [part for part in parts[-2:] if not (isinstance(part, str) and part.isspace())]
    return bool(before) and before[-1] == ":" and _SAID.search(line, max(0, at - 60), at) is not None


def _mask_token(found: re.Match[str], *, after_equals: bool) -> list[tuple[Part, str]]:
    kind, text = str(found.lastgroup), found[0]
    if kind == "word":
        return _mask_word(text, after_equals=after_equals)
    if kind == "pseudonym":
        return [(Slot.PSEUDONYM, text)]
    if kind == "stamp":
        return [(Slot.STAMP, text)]
    if kind == "double":
        return [('"', ""), (Slot.DOUBLE_QUOTED, found[kind]), ('"', "")]
    if kind == "single":
        return [("'", ""), (Slot.SINGLE_QUOTED, found[kind]), ("'", "")]
    return [(text, "")]


def _mask_word(text: str, *, after_equals: bool) -> list[tuple[Part, str]]:
    end = _END.search(text)
    word, tail = (text[: end.start()], end[0]) if end else (text, "")
    if not word or not (after_equals or any(char.isdigit() for char in word) or _RANDOM.fullmatch(word)):
        return [(text, "")]
    slot = Slot.WORD if _PLAIN.fullmatch(word) else Slot.ODD_WORD
    return [(slot, word), *([(tail, "")] if tail else [])]
