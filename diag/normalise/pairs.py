"""Lines of ``key=value`` pairs, as logrus, slog and logfmt write them for people."""

from __future__ import annotations

import re

import orjson

_KEY = r"[A-Za-z_@][\w.@/-]{0,100}"
_BEGINS = re.compile(rf"{_KEY}=\S")
_PAIR = re.compile(rf'\s*({_KEY})=(?:"((?:[^"\\]|\\.)*)"|([^\s"]*))(?=\s|$)')
_TAIL = re.compile(rf'(?:\s+{_KEY}=(?:"(?:[^"\\]|\\.)*"|[^\s"]*)(?=\s|$))+\s*$')
_IN_BRACKETS = re.compile(rf"\s+\(({_KEY}=[^()]*)\)$")
_INNER = re.compile(rf'({_KEY})=(?:"((?:[^"\\]|\\.)*)"|([^\s",;\]}})]*))')
_GROUP = rf"[\[{{(]{_KEY}=[^\[\]{{}}()]*[\]}})]"
_LOGGER = r"[\w$]+(?:\.[\w$]+)+"
_CONTEXT = re.compile(
    rf"(?:\[[\w.@/:#-]+\] +)?(?:{_LOGGER} +)?(?P<mdc>{_GROUP}(?: ?{_GROUP})*)(?: +{_LOGGER})?(?: *:| +-)? +"
    r"|(?P<spans>(?:[\w-]+\{[^{}]*\}:)+) *(?:\w+(?:::\w+)*: )?"
)
"""What loggers write of the call before the words: log4j's context, the spans of Rust's tracing."""

_LONGEST = 4096
"""Characters of a text that is searched for closing pairs: the search is quadratic."""
_SAYS = frozenset({"msg", "message"})
_TELLS = frozenset({"level", "lvl", "severity", "time", "ts", "t", "@timestamp"})

_OLLAMA = re.compile(r"source=[\w-]+\.go:\d+")
"""Its logger cuts the path of a source away: the catalogue knows these lines as a whole."""


def read_pairs(line: str) -> dict[str, str] | None:
    """The pairs of a line that is made of them; None where it is not, or none of them is a message."""
    if _BEGINS.match(line) is None:
        return None
    fields: dict[str, str] = {}
    position = 0
    while (pair := _PAIR.match(line, position)) is not None:
        fields[pair[1]] = _value(pair)
        position = pair.end()
    if line[position:].strip() or _SAYS.isdisjoint(fields) or _TELLS.isdisjoint(fields):
        return None
    if _OLLAMA.fullmatch(f"source={fields.get('source', '')}"):
        fields["msg"] = line
    return fields


def split_context(text: str) -> tuple[str, dict[str, str]]:
    """The words behind the pairs that a logger put before them, and those."""
    found = _CONTEXT.match(text) if len(text) <= _LONGEST else None
    if found is None:
        return text, {}
    fields = {one[1]: _value(one) for one in _INNER.finditer(found["mdc"] or found["spans"])}
    return (text[found.end() :], fields) if fields else (text, {})


def split_pairs(text: str) -> tuple[str, dict[str, str]]:
    """The words before the pairs that close a text, and those."""
    if len(text) > _LONGEST:
        return text.strip('" '), {}
    bracketed = _IN_BRACKETS.search(text)
    found = bracketed or _TAIL.search(text)
    if found is None:
        return text.strip('" '), {}
    pairs = _INNER.finditer(found[1]) if bracketed else _PAIR.finditer(found[0])
    return text[: found.start()].strip('" '), {one[1]: _value(one) for one in pairs}


def _value(pair: re.Match[str]) -> str:
    quoted: str | None = pair[2]
    return str(pair[3]).rstrip(",;") if quoted is None else _unquote(quoted)


def _unquote(text: str) -> str:
    if "\\" not in text:
        return text
    try:
        found = orjson.loads(f'"{text}"')
    except orjson.JSONDecodeError:
        return text
    return found if isinstance(found, str) else text
