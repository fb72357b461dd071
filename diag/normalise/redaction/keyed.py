r"""Values in free text that stand after a telling key, as in a JSON line that was cut in the middle.

JSON (``"key": "value``), JSON inside a JSON string (``\"key\":\"value\"``), Python's repr, logfmt and
headers (``key=value``, ``Key: value``) and what Go prints (``{Key:value}``, ``map[Key:[value]]``). A value
without an end goes to the end. Every expression here takes each character once (possessive quantifiers).
"""

from __future__ import annotations

import re

from diag.normalise.redaction.keys import NAMES_OF_PAIR, KeyKind, kind_in_query, kind_of_key
from diag.normalise.redaction.pseudonyms import PSEUDONYM
from diag.normalise.redaction.values import find_number, to_stand_in

_KEY = re.compile(
    r"(?<![\w.-])[\d.-]*+(?P<key>[^\W\d][\w.-]*+)(?P<quote>\\*+[\"']?)(?P<gap>\s*+)(?:=>|:=|[:=])(?P<space>\s*+)"
)
_OPENING = re.compile(r"[bru]?(?P<escape>\\*+)(?P<quote>[\"'])")
_BRACKET = re.compile(r"\"(?:[^\"\\]|\\.)*+\"|(?P<open>[\[{])|[\]}]", re.DOTALL)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?=\s*(?:[,}\])\s]|$))")
_SCALAR = re.compile(r"[\w.+-]++(?=\s*+(?:[,}\])]|$))")
_STATUS = re.compile(r"\d{1,3}(?=$|[,;)}\]]|\s+[\w.-]+=)")

_LONGEST_NUMBER = 64
_LONGEST_NAME = 128
_QUOTES = r"\\*[\"']?"
_NAME_BEFORE = re.compile(
    rf"(?i:\b(?:{'|'.join(sorted(NAMES_OF_PAIR))})){_QUOTES}\s?[:=]\s?"
    rf"{_QUOTES}(?P<name>[\w.-]{{1,64}}){_QUOTES}[,;\s]{{1,2}}{_QUOTES}\Z"
)

_WORD = re.compile(
    r"(?:(?:Bearer|Basic|Digest|Token|ApiKey)\s+)?"
    r"(?:[^\s\"',;&|)}\]\\]|[,;&|](?!\s|$|[\"']|[\w.-]++[=:])|[)}\]](?![\s,;.)}\]\"']|$)|\\(?![\"'nr]))*+",
    re.IGNORECASE,
)
_LINE = re.compile(r"(?:[^\r\n\"\\]|\"(?!\s*+(?:[,}\]:]|$))|\\(?![rn\"]))*+")
# Digest username="u", response="...": its quotes close nothing around it.
_HEADER_LINE = re.compile(r"(?:[^\r\n\"\\]|(?<==)\"[^\r\n\"]*+\"?|\"(?!\s*+(?:[,}\]:]|$))|\\(?![rn\"]))*+")
_SENTENCE = re.compile(
    r"(?:[^\s\"\\]|[^\S\r\n](?![^\W\d][\w.-]*+(?:=|:[^\s/]))|\"(?!\s*+(?:[,}\]:]|$))|\\(?![rn\"]))*+"
)
# What Go, Python and their libraries say after "failed to decode response: ": the cause, not a content.
_CAUSES = (
    r"context (?:deadline|cancel)",
    r"(?:unexpected )?EOF\b",
    r"unexpected (?:end|status|response|token)",
    r"invalid (?:character|JSON|UTF-8|status|header)",
    r"(?:dial|read|write) (?:tcp|udp)",
    r"(?:lookup|error|failed to|no such|json:|http:|tls:|x509:|websocket:|net/http:) ",
    r"(?:Get|Post|Put) \"",
    r"rpc error|i/o timeout|broken pipe|connection (?:refused|reset|closed)|timed? ?out\b",
    r"\[?Errno|\w{3,40}(?:Error|Exception)\b",
    r"[1-5]\d\d [A-Z][a-z]",
)
_CAUSE = re.compile("|".join(_CAUSES))


def redact_keyed(text: str, content_keys: frozenset[str]) -> str:
    """`text` with each value redacted as its key wants."""
    parts, done, position = list[str](), 0, 0
    while (match := _KEY.search(text, position)) is not None:
        position = match.end()
        kind = _kind_at(match, content_keys)
        start, end = (0, 0) if kind is KeyKind.PLAIN else _span(match, kind)
        value = text[start:end]
        if (stand_in := to_stand_in(kind, value)) != value:
            parts += (text[done:start], stand_in)
            done = position = end
    return "".join((*parts, text[done:])) if parts else text


def _kind_at(match: re.Match[str], content_keys: frozenset[str]) -> KeyKind:
    kind = kind_of_key(_name_of_pair(match) or match["key"], content_keys)
    return kind_in_query(match["key"]) if kind is KeyKind.PLAIN and _is_in_query(match) else kind


def _name_of_pair(match: re.Match[str]) -> str:
    """Of ``"value":`` the name that stands before it, as in ``{"key": "authorization", "value": ...}``."""
    if match["key"].lower() != "value":
        return ""
    before = match.string[max(0, match.start() - _LONGEST_NAME) : match.start()]
    found = _NAME_BEFORE.search(before)
    return found["name"] if found else ""


def _is_in_query(match: re.Match[str]) -> bool:
    return match.string[match.start("key") - 1 : match.start("key")] in ("?", "&")


def _span(match: re.Match[str], kind: KeyKind) -> tuple[int, int]:
    """From where to where the value goes; nothing if it may stay."""
    text, start = match.string, match.end()
    opening = _OPENING.match(text, start)
    if opening is not None:
        return opening.end(), _end_of_quoted(text, opening)
    if kind in (KeyKind.PHONE, KeyKind.PARTY):
        return start, start + len(find_number(kind, text[start : start + _LONGEST_NUMBER]))
    if text.startswith(("[", "{"), start) and (match["quote"] or not match["space"]):
        end = _end_of_bracket(text, start)
        return start, end if match["quote"] else _end_of_bare(match, kind, end)
    if _may_stay(match, kind):
        return start, start
    whole = PSEUDONYM.match(text, start) or (_SCALAR.match(text, start) if match["quote"] else None)
    return start, whole.end() if whole else _end_of_bare(match, kind, start)


def _end_of_quoted(text: str, opening: re.Match[str]) -> int:
    """Where the quote closes that `opening` opened, on its own level of escaping."""
    level = len(opening["escape"])
    for one in re.compile(rf"(\\*+){opening['quote']}").finditer(text, opening.end()):
        slashes = len(one[1])
        if slashes == level or (level == 0 and slashes % 2 == 0):
            return one.end() - 1 - level
    return len(text)


def _end_of_bracket(text: str, start: int) -> int:
    depth = 0
    for one in _BRACKET.finditer(text, start):
        depth += 1 if one["open"] else 0 if one[0].startswith('"') else -1
        if depth == 0:
            return one.end()
    return len(text)


def _may_stay(match: re.Match[str], kind: KeyKind) -> bool:
    """Whether what follows is a number of JSON, a status, or the words of an error."""
    text, start = match.string, match.end()
    is_secret = kind in (KeyKind.SECRET, KeyKind.HEADER)
    if not is_secret and (_NUMBER if match["quote"] else _STATUS).match(text, start):
        return True
    return not match["quote"] and bool(match["space"]) and _CAUSE.match(text, start) is not None


def _end_of_bare(match: re.Match[str], kind: KeyKind, start: int) -> int:
    """How far a value without quotes goes."""
    if kind in (KeyKind.SAID, KeyKind.ADDRESS):
        form = _SENTENCE
    elif kind is KeyKind.HEADER:
        form = _HEADER_LINE
    else:
        form = _LINE if match["space"] else _WORD
    if _is_in_query(match):
        form = _WORD
    found = form.match(match.string, start)
    return found.end() if found else start
