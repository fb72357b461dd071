"""Contents, secrets and personal data leave an entry here, once; nothing behind this sees them.

What is taken out becomes a pseudonym: its kind, its length where that tells something, and six hex
digits that are the same for the same value, so that two occurrences can still be told to be one.
24 bits identify nobody: every phone number shares its digits with hundreds of others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from hashlib import blake2b
from typing import Any

_SECRET_KEY = re.compile(
    r"pass(?:word|wd|phrase)?$|secret|token$|api_?key|authorization|credential|cookie|private_?key",
    re.IGNORECASE,
)
_LONGEST_TEXT = 2_000
_PATTERNS = (
    (
        "key",
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
    ),
    (
        "token",
        re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\b(?:ya29\.|AIza|ghp_|sk-|xox[abp]-)[\w.-]{16,}"),
    ),
    ("secret", re.compile(r"(?<=\bBearer )[\w.~+/=-]{8,}|(?<=\bBasic )[\w+/=]{8,}", re.IGNORECASE)),
    ("secret", re.compile(r"(?i)(?<=password=)[^\s&\"']+|(?<=token=)[^\s&\"']+|(?<=secret=)[^\s&\"']+")),
    ("login", re.compile(r"(?<=://)[^\s/@:]+:[^\s/@]+(?=@)")),
    ("e-mail", re.compile(r"\b[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}\b")),
    ("phone", re.compile(r"(?<![\w.+])\+\d(?:[ ().-]{0,2}\d){7,14}(?!\d)")),
    ("ip", re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\.\d|\d)")),
    ("ip", re.compile(r"(?<![\w:])(?:[0-9a-fA-F]{1,4}:){3,7}(?::?[0-9a-fA-F]{1,4}){1,5}(?![\w:])")),
    ("said", re.compile(r"(?<=[?&]text=)[^\s&\"']+")),
)
# One search instead of ten: most texts hold none of what any pattern begins with.
_WORTH_A_LOOK = re.compile(
    r"@|\d\.\d|\+\d|-----|eyJ|ya29|AIza|ghp_|sk-|xox|[Bb]earer|[Bb]asic|=|[0-9a-fA-F]:[0-9a-fA-F:]"
)
_LOOPBACK = re.compile(r"127\.\d+\.\d+\.\d+|0\.0\.0\.0")


def redact_text(text: str) -> str:
    """`text` without secrets and personal data, cut if very long."""
    if len(text) > _LONGEST_TEXT:
        text = f"{text[:_LONGEST_TEXT]} ... ({len(text)} characters)"
    if _WORTH_A_LOOK.search(text) is None:
        return text
    for kind, pattern in _PATTERNS:
        text = pattern.sub(partial(_replace, kind), text)
    return text


def redact_fields(
    fields: Mapping[str, Any], content_keys: frozenset[str], id_keys: frozenset[str]
) -> dict[str, Any]:
    """The payload, redacted; IDs keep their value, contents give way to their length."""
    return {
        redact_text(key): value if key in id_keys else _redact_value(key, value, content_keys)
        for key, value in fields.items()
    }


def is_secret_key(key: str) -> bool:
    """Whether what stands under `key` is a secret, whatever it is."""
    return _SECRET_KEY.search(key) is not None


def _redact_value(key: str, value: Any, content_keys: frozenset[str]) -> Any:
    if isinstance(value, dict):
        return {redact_text(k): _redact_value(k, v, content_keys) for k, v in value.items()}
    if isinstance(value, list):
        return [_redact_value(key, one, content_keys) for one in value]
    if not isinstance(value, str):
        return value
    if is_secret_key(key):
        return "<secret>"
    if key in content_keys:
        return f"<said, {len(value)} characters, {_digest(value)}>" if value else ""
    return redact_text(value)


def _replace(kind: str, match: re.Match[str]) -> str:
    text = match[0]
    if kind == "ip" and _LOOPBACK.fullmatch(text):
        return text
    return "<secret>" if kind in ("secret", "key", "token", "login") else f"<{kind} {_digest(text)}>"


def _digest(text: str) -> str:
    return blake2b(text.encode("utf-8", "replace"), digest_size=3).hexdigest()
