"""A template -> what stands in the catalogue: an exact message, or a pattern with named groups."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterator

from diag.catalogue.id_forms import looks_like_id
from diag.catalogue.mask import Masked, Part, Parts, Slot
from diag.catalogue.templates import SlotFacts, Template
from diag.model.proposal import ProposedLine

KeyOf = Callable[..., str]
"""The ID key under which all of the given values stand; empty if none."""

_LEAST_SEEN = 3
# Words with a digit that are no value: H264, v2, 1.1
_CONSTANT = re.compile(r"\d|\d\.\d|v\d[\d.]{0,6}|[A-Z]{1,5}\d{1,3}|IPv[46]|mp[34]")
_SPECIAL = re.compile(r"[\\.^$*+?{}\[\]|()]")
_LETTERS = re.compile(r"[^\W\d_]{2}")
_MADE_UP = {
    Slot.STAMP: "2025-01-01 00:00:00",
    Slot.PSEUDONYM: "<ip 000000>",
    Slot.TAIL: "...",
    Slot.REST: "...",
}
_FALLBACK = {Slot.STAMP: "at", Slot.PSEUDONYM: "address", Slot.TAIL: "text", Slot.REST: "rest"}
_LONGEST_NAME = 24
# Words that stand between a value and what it is called by.
_LITTLE = frozenset(
    {"a", "after", "and", "as", "at", "by", "for", "from", "in", "is", "of", "on", "the", "to", "was", "with"}
)


def has_words(parts: Parts) -> bool:
    """Whether anything constant holds the messages together."""
    return any(isinstance(part, str) and _LETTERS.search(part) for part in parts)


def to_line(template: Template, key_of: KeyOf, id_keys: Collection[str]) -> ProposedLine:
    """The entry for `template`; what looked variable and never varied is written out."""
    parts, slots = _settle_constants(template)
    if not slots:
        return ProposedLine("".join(map(str, parts)), template.count)
    names = _name_slots(parts, slots, key_of, id_keys)
    shown, pattern, sample = [], ["^"], []
    left = list(zip(names, slots, strict=True))
    for part in parts:
        if isinstance(part, str):
            shown.append(part)
            pattern.append(_escape(part))
            sample.append(part)
            continue
        name, facts = left.pop(0)
        shown.append(f"<{name}>")
        pattern.append(f"(?P<{name}>{_expression(part, facts)})")
        sample.append(_MADE_UP.get(part, "0" if facts.digits else "x0"))
    pattern.append("$")
    text = " ".join("".join(shown).split())
    return ProposedLine(text, template.count, pattern="".join(pattern), sample="".join(sample))


def _expression(slot: Slot, facts: SlotFacts) -> str:
    return r"\d+" if facts.digits and slot is Slot.WORD else slot.value


def _settle_constants(template: Template) -> tuple[Parts, list[SlotFacts]]:
    parts: list[Part] = []
    slots: list[SlotFacts] = []
    left = list(template.slots)
    for part in template.parts:
        if isinstance(part, str):
            parts.append(part)
            continue
        facts = left.pop(0)
        never_varied = facts.low == facts.high and template.count >= _LEAST_SEEN
        if part is Slot.WORD and never_varied and _CONSTANT.fullmatch(facts.low) and parts[-1:] != ["="]:
            parts.append(facts.low)
        else:
            parts.append(part)
            slots.append(facts)
    return tuple(parts), slots


def ids_in_slots(masked: Masked) -> Iterator[tuple[str, str]]:
    """The values that look like IDs, each under the name that its group will have."""
    left = list(masked.values)
    for place, part in enumerate(masked.parts):
        value = left.pop(0) if isinstance(part, Slot) else ""
        if value and part in (Slot.WORD, Slot.ODD_WORD) and looks_like_id(value, named=False):
            yield _name_by_words(masked.parts[:place], Slot.WORD, is_id=True), value


def _name_slots(parts: Parts, slots: list[SlotFacts], key_of: KeyOf, id_keys: Collection[str]) -> list[str]:
    names: list[str] = []
    left = list(slots)
    for place, part in enumerate(parts):
        if isinstance(part, Slot):
            facts = left.pop(0)
            key = key_of(facts.low, facts.high) if facts.low else ""
            is_id = all(looks_like_id(value, named=False) for value in (facts.low, facts.high))
            name = _name_by_words(parts[:place], part, is_id=is_id)
            name = key if key.isidentifier() and key.isascii() else name
            if name in id_keys and not key and not looks_like_id(facts.low, named=True):
                name = f"{name}_value"  # a group that is called like an ID key is read as an ID
            names.append(_make_unique(name, names))
    return names


def _name_by_words(before: Parts, slot: Slot, *, is_id: bool) -> str:
    """After the word before it: ``port``; an ID's says that it is one: ``call_id``."""
    if slot in _FALLBACK:
        return _FALLBACK[slot]
    words = (
        re.sub(r"\W", "_", one, flags=re.ASCII).strip("_") for one in reversed(before) if isinstance(one, str)
    )
    word = next((one for one in words if one and one.lower() not in _LITTLE), "value")[:_LONGEST_NAME]
    name = word if word[0].isalpha() else f"n{word}"
    return f"{name}_id" if is_id and not name.lower().endswith("id") else name


def _make_unique(name: str, taken: list[str]) -> str:
    if name not in taken:
        return name
    return next(one for number in range(2, len(taken) + 3) if (one := f"{name}_{number}") not in taken)


def _escape(text: str) -> str:
    """`text` in a regular expression; what does not show is written as an escape."""
    return "".join(_escape_char(char) for char in text)


def _escape_char(char: str) -> str:
    if _SPECIAL.match(char):
        return f"\\{char}"
    if char == " " or (char.isprintable() and unicodedata.category(char)[0] not in "CZ"):
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}" if code < 65_536 else f"\\U{code:08x}"
