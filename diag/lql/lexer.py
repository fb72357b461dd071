"""Text of a filter -> tokens with their places."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from diag.errors import FilterError

LONGEST_FILTER = 20_000
"""Characters, comments included (Cloud Logging, quotas)."""


class Kind(Enum):
    """What a token is."""

    TEXT = auto()
    STRING = auto()
    OP = auto()
    DOT = auto()
    COMMA = auto()
    OPEN = auto()
    CLOSE = auto()
    MINUS = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token; `text` is what it means (a string without quotes and escapes).

    Attributes:
        glued: no white space stands before it.
    """

    kind: Kind
    text: str
    line: int
    column: int
    glued: bool

    def refuse(self, problem: str = "syntax error", *, token: str = "", hint: str = "") -> FilterError:
        """The error that this token, or what begins with it, is in the wrong place."""
        shown = token or (self.text if self.kind is not Kind.END else "end")
        return FilterError(problem, self.line, self.column, shown, hint=hint)


_SURROGATE = re.compile(r"[\ud800-\udfff]")  # half a pair, which is no text
_SKIP = re.compile(r"(?:[\s]+|--[^\n]*)+")
_OPERATOR = re.compile(r"=~|!~|!=|<=|>=|=|<|>|:")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)
# "-" and "/" may stand inside a word (labels.k8s-pod/app), not at its start.
_TEXT = re.compile(r"[^\s\"'=!<>:~().,\-][^\s\"'=!<>:~().,]*")
_PUNCTUATION = {".": Kind.DOT, ",": Kind.COMMA, "(": Kind.OPEN, ")": Kind.CLOSE, "-": Kind.MINUS}
_INSTEAD = {"!": "write NOT, or a - right before the condition", "~": "write =~ for a regular expression"}
_KEYWORDS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


def tokenize(text: str) -> tuple[Token, ...]:
    """The tokens of `text`, an END token last; raises `FilterError`."""
    if len(text) > LONGEST_FILTER:
        problem = f"filter is longer than {LONGEST_FILTER} characters"
        raise FilterError(problem, *_place(text, LONGEST_FILTER), hint="ask in several filters")
    text = _SURROGATE.sub("\ufffd", text)
    tokens: list[Token] = []
    position, glued, line, line_begin = 0, False, 1, 0
    while True:
        skipped = _SKIP.match(text, position)
        if skipped is not None:
            line, line_begin = _count_lines(text, position, skipped.end(), line, line_begin)
            position, glued = skipped.end(), False
        column = position - line_begin + 1
        if position == len(text):
            tokens.append(Token(Kind.END, "", line, column, glued))
            return tuple(tokens)
        kind, meaning, length = _read(text, position, line, column)
        tokens.append(Token(kind, meaning, line, column, glued))
        if kind is Kind.STRING:
            line, line_begin = _count_lines(text, position, position + length, line, line_begin)
        position, glued = position + length, True


def _count_lines(text: str, position: int, end: int, line: int, line_begin: int) -> tuple[int, int]:
    """The line at `end`, and where it begins."""
    more = text.count("\n", position, end)
    return (line + more, text.rfind("\n", position, end) + 1) if more else (line, line_begin)


def _place(text: str, position: int) -> tuple[int, int]:
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


def _read(text: str, position: int, line: int, column: int) -> tuple[Kind, str, int]:
    """The token at `position`: kind, meaning and length in the text."""
    char = text[position]
    if char in "\"'":
        match = _STRING.match(text, position)
        if match is None:
            hint = f"write the closing {char}, and \\{char} where one stands inside"
            raise FilterError("string without a closing quote", line, column, char, hint=hint)
        return Kind.STRING, unescape(match[0][1:-1]), len(match[0])
    if char in _PUNCTUATION:
        return _PUNCTUATION[char], char, 1
    match = _OPERATOR.match(text, position)
    if match is not None:
        return Kind.OP, match[0], len(match[0])
    match = _TEXT.match(text, position)
    if match is None:
        raise FilterError("syntax error", line, column, char, hint=_INSTEAD.get(char, ""))
    return _KEYWORDS.get(match[0], Kind.TEXT), match[0], len(match[0])


_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{3})|(.))", re.DOTALL)
_SIMPLE = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    '"': '"', "'": "'", "\\": "\\", "?": "?",
}  # fmt: skip


def unescape(body: str) -> str:
    r"""The text that a string's body means. An unknown escape keeps its backslash: ``\d`` is a regex's."""
    if "\\" not in body:
        return body
    # A pair of \u escapes is one character; half a pair is none, and becomes U+FFFD.
    return _ESCAPE.sub(_meaning, body).encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _meaning(match: re.Match[str]) -> str:
    hexed, unicoded, octal, simple = match.groups()
    if hexed or unicoded:
        return chr(int(hexed or unicoded, 16))
    if octal:
        return chr(int(octal, 8))
    return _SIMPLE.get(simple, match[0])
