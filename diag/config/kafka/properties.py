r"""Java's ``.properties`` files, and the login module that stands in one of their values.

The grammar is that of ``java.util.Properties``: ``#`` and ``!`` begin comments, a key ends at ``=``, ``:``
or a blank, a backslash at the end of a line joins the next one to it, and ``\t \n \r \f \uXXXX`` are escapes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_ENTRY = re.compile(r"((?:\\.|[^\\=:\s])*)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|(.))", re.DOTALL)
_ESCAPED = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_MODULE = re.compile(r"\s*(?P<name>[\w.$]+)\s+(?:required|requisite|sufficient|optional)\b", re.IGNORECASE)
_OPTION = re.compile(
    r"""([\w.$-]+)\s*=\s*(?:"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|([^\s;"']+))""", re.DOTALL
)


def parse_properties(text: str) -> dict[str, str]:
    """The file's properties; of a key that stands twice the last one, as in Java."""
    return dict(map(_to_entry, _join_lines(text)))


def _join_lines(text: str) -> Iterator[str]:
    """The logical lines, without comments and empty ones."""
    waiting = ""
    for line in re.split(r"\r\n|\r|\n", text):
        stripped = line.lstrip(" \t\f")
        if not waiting and (not stripped or stripped[0] in "#!"):
            continue
        waiting += stripped
        if (len(waiting) - len(waiting.rstrip("\\"))) % 2:
            waiting = waiting[:-1]
            continue
        yield waiting
        waiting = ""
    if waiting:
        yield waiting


def _to_entry(line: str) -> tuple[str, str]:
    match = _ENTRY.match(line)
    key, value = match.groups() if match else (line, "")
    return _unescape(key), _unescape(value)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(
        lambda match: chr(int(match[1], 16)) if match[1] else _ESCAPED.get(match[2], match[2]), text
    )


@dataclass(frozen=True, slots=True, repr=False)
class LoginModule:
    """A value of ``sasl.jaas.config``; its options hold secrets, so it has no `repr`.

    Attributes:
        name: the class, without its package.
        options: name -> value.
    """

    name: str
    options: dict[str, str]


def parse_login_module(text: str) -> LoginModule | None:
    """``org...PlainLoginModule required username="u" password="p";`` or None if it is no such thing."""
    module = _MODULE.match(text)
    if module is None:
        return None
    options = {
        name: _unescape(next((one for one in quoted if one), bare))
        for name, *quoted, bare in _OPTION.findall(text, module.end())
    }
    return LoginModule(module["name"].rpartition(".")[2], options)
