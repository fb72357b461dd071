"""A value whose key is known: what of it may stay."""

from __future__ import annotations

import re

from diag.model.identifiers import IdKind, classify
from diag.normalise.redaction.keys import KeyKind
from diag.normalise.redaction.pseudonyms import PSEUDONYM, SECRET, to_length, to_pseudonym

_NOTHING = re.compile(r"(?:null|none|nil|<nil>|undefined|true|false|nan|\*+)?", re.IGNORECASE)
# What services dial: a host, a port, a URL. A street has spaces or capitals.
_HOST = re.compile(
    r"(?:[a-z][a-z0-9+]*+://)?(?:[a-z0-9._%-]*+|\[?[0-9a-fA-F:.]++\]?)(?::\d{1,5})?(?:/[^\s@]*+)?"
)
_LONGEST_NETWORK = 1_000
_NUMBER = re.compile(r"(?:sips?:|tel:)?\(?\+?\d(?:[ ()/.-]{0,3}\d){6,14}(?![\w-]|[.:,]\d)")
# Digits that are a Unix time in any unit, a date, an IPv4 address, or a range from zero.
_NO_NUMBER = re.compile(
    r"1[4-9](?:\d{8}|\d{11}|\d{14}|\d{17})(?!\d)|\d{4}[-/.]\d\d[-/.]\d\d|\d\d?[-/.]\d\d?[-/.]\d{4}"
    r"|\d{1,3}(?:\.\d{1,3}){3}(?!\d)|0[-/ ]"
)
# A grammar that a password or a sentence does not meet by chance.
_OWN_IDS = frozenset({IdKind.FRONTEND, IdKind.MEDIA, IdKind.FALLBACK, IdKind.GRPC, IdKind.CONNECTION})


def to_stand_in(kind: KeyKind, value: str) -> str:
    """What is shown for `value`; itself where its key tells nothing of it."""
    if kind is KeyKind.PLAIN or _tells_nothing(value):
        return value
    if kind in (KeyKind.SECRET, KeyKind.HEADER):
        return SECRET
    if kind in (KeyKind.PHONE, KeyKind.PARTY):
        number = find_number(kind, value)
        return to_pseudonym("phone", number) + value[len(number) :] if number else value
    if kind is KeyKind.ADDRESS and _is_network(value):
        return value
    return to_length("said", value)


def find_number(kind: KeyKind, value: str) -> str:
    """The phone number that `value` begins with, empty if it begins with none."""
    match = None if _NO_NUMBER.match(value) else _NUMBER.match(value)
    if match is None or (kind is KeyKind.PARTY and not _is_written_out(match[0])):
        return ""
    return match[0]


def _is_network(value: str) -> bool:
    """Whether `value` names hosts, with commas between them; their IP addresses are redacted by form."""
    if len(value) > _LONGEST_NETWORK:
        return False
    return all(_HOST.fullmatch(one.strip()) for one in PSEUDONYM.sub("0", value).split(","))


def _tells_nothing(value: str) -> bool:
    """Whether `value` is none (``undefined``), an ID, or already a pseudonym."""
    return bool(_NOTHING.fullmatch(value) or PSEUDONYM.fullmatch(value) or classify(value).kind in _OWN_IDS)


def _is_written_out(number: str) -> bool:
    """Whether digits after ``from`` are a phone number: an offset is shorter and has no separators."""
    digits = sum(one.isdigit() for one in number)
    bare = number.lstrip("(")
    return bare.startswith(("+", "0", "sip", "tel")) or digits >= 10 or len(number) > digits >= 9
