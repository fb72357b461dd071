"""What a key promises of its value."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache


class KeyKind(Enum):
    """What stands under a key."""

    PLAIN = auto()
    SECRET = auto()
    HEADER = auto()  # a secret that goes on to the end of its line: a=b; c=d
    SAID = auto()
    ADDRESS = auto()  # where somebody lives, or a host and a port
    PHONE = auto()
    PARTY = auto()  # from, to: a phone number, or a time, an offset, a state


_HEADER = re.compile(r"cookies?$|authorization$")
_SECRET = re.compile(
    r"passw(?:or)?d|passphrase|passcode|(?:^|_)(?:pass|pwd|pin|otp|cvv|cvc|jwt|sig|ufrag)$|secret|token$"
    r"|(?:auth|access|refresh|id|session|bearer|api)_tokens$|credential|signature|authorization|cookie|bearer"
    r"|(?:api|private|access|account|shared|secret|encryption|signing|master|subscription|license|auth)_?key"
)
_NAME_OF_SECRET = re.compile(
    r"_(?:name|type|version|status|state|count|length|len|path|file|expires|expiry|expires_(?:at|in)|ttl|valid|present)$"
)
# In a URL's query these say more than elsewhere: ?key=, ?code= of OAuth, ?text= of a synthesis.
_IN_QUERY = {
    "key": KeyKind.SECRET,
    "code": KeyKind.SECRET,
    "auth": KeyKind.SECRET,
    "sign": KeyKind.SECRET,
    "text": KeyKind.SAID,
}

_SAID = re.compile(
    r"transcript|utterance|prompt|answer|reply_text|user_input|speech|caller_name|customer"
    r"|(?:user|message|input|output|assistant|bot|partial)_text$|(?:llm|ai|bot|assistant)_(?:response|reply|output)$"
)
_ADDRESS = re.compile(r"(?:^|_)addr(?:ess)?(?:es)?$|address")
_MEASURE = re.compile(
    r"_(?:id|ids|count|length|len|size|bytes|chars|tokens?|ms|seconds|duration|time|at|index|number|version"
    r"|lang|language|confidence|score|status|state|type|model|topic|rate)$"
)
_PHONE = re.compile(
    r"(?<!micro)(?<!head)(?<!ear)phones?(?!me)|msisdn|(?:^|_)(?:caller|callee|tel|sip|mobile|fax|ani|dnis|whatsapp|dialled|dialed)$"
    r"|(?:^|_)(?:caller|callee)_(?:id|number)$"
)
_PARTY = frozenset({"from", "to"})
_LONGEST_KEY = 128
"""Characters; what a key says of its value is in its last words."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]")


NAMES_OF_PAIR = frozenset({"key", "name", "header"})
"""What stands before a ``value`` where a list holds pairs, as headers are logged."""


def kind_of_key(key: str, content_keys: frozenset[str]) -> KeyKind:
    """What stands under `key`, however it is spelt; `content_keys` are those that the catalogue knows."""
    return _kind_of_key(key[-_LONGEST_KEY:], content_keys)


@lru_cache(maxsize=4096)
def _kind_of_key(key: str, content_keys: frozenset[str]) -> KeyKind:
    if key in content_keys:
        return KeyKind.SAID
    name = _normal(key)
    if _SECRET.search(name) and not _NAME_OF_SECRET.search(name):
        return KeyKind.HEADER if _HEADER.search(name) else KeyKind.SECRET
    if key.rsplit(".", 1)[-1] in content_keys or name in _normal_names(content_keys):
        return KeyKind.SAID
    return _kind_of_other(name)


def kind_in_query(key: str) -> KeyKind:
    """What stands under `key` in a URL's query, if nothing elsewhere."""
    return _IN_QUERY.get(key.lower(), KeyKind.PLAIN)


def _kind_of_other(name: str) -> KeyKind:
    if _PHONE.search(name):
        return KeyKind.PHONE
    if name in _PARTY:
        return KeyKind.PARTY
    if _MEASURE.search(name):
        return KeyKind.PLAIN
    if _SAID.search(name):
        return KeyKind.SAID
    return KeyKind.ADDRESS if _ADDRESS.search(name) else KeyKind.PLAIN


def _normal(key: str) -> str:
    """``finalTranscript``, ``Final-Transcript`` and ``final_transcript`` are one name."""
    return _CAMEL.sub("_", key).lower()


@lru_cache(maxsize=8)
def _normal_names(keys: frozenset[str]) -> frozenset[str]:
    return frozenset(_normal(key) for key in keys)
