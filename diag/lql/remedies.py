"""A token in the wrong place -> what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from diag.lql.fields import name_fields
from diag.lql.lexer import Kind, Token
from diag.lql.text import quote

_IN_VALUES = frozenset({Kind.TEXT, Kind.STRING, Kind.DOT})
_LONGEST_NAME = 80
_KEYWORDS = frozenset({Kind.AND, Kind.OR, Kind.NOT})
_WAITING = _KEYWORDS | {Kind.OP, Kind.MINUS}
_LABELS = frozenset(
    {"project_id", "location", "cluster_name", "namespace_name", "pod_name", "container_name"}
)
"""Of a container's resource, as GKE writes them."""
_MEANT = {"==": "=", "<>": "!=", "><": "!=", "=>": ">=", "=<": "<=", "::": ":"}


def explain_token(tokens: Sequence[Token], at: int) -> str:
    """What to do about `tokens[at]`, where the parser stopped; empty where nothing better can be said."""
    token, before = tokens[at], tokens[at - 1] if at else None
    if before is not None and before.kind in _WAITING and token.kind in (Kind.END, Kind.CLOSE):
        return f"write a {'value' if before.kind is Kind.OP else 'condition'} after {before.text}"
    if before is not None and before.kind is Kind.OP and token.kind in _KEYWORDS:
        value = f'write a value after {before.text}; {token.text} as a value is "{token.text}"'
        return f"{value}, as an operator it stands before the field" if token.kind is Kind.NOT else value
    match token.kind:
        case Kind.OP:
            return _explain_operator(tokens, at)
        case Kind.COMMA:
            return 'a list of values is written with OR: field=("a" OR "b")'
        case Kind.CLOSE if before is not None and before.kind is Kind.OPEN:
            return "write a condition between the parentheses, or drop them"
        case Kind.CLOSE:
            return 'drop it, or write the "(" that it closes'
        case Kind.END:
            opened = _open(tokens)
            return (
                f'write the ")" that closes the "(" {_place(opened)}'
                if opened
                else "write what is missing there"
            )
        case Kind.AND | Kind.OR:
            return f'{token.text} stands between two conditions; as a word to look for it is "{token.text}"'
        case Kind.DOT:
            return "a value that begins with a dot, or holds two in a row, stands in double quotes"
    return "put the value in double quotes"


def _explain_operator(tokens: Sequence[Token], at: int) -> str:
    token, before = tokens[at], tokens[at - 1] if at else None
    if before is not None and before.kind is Kind.OP:
        return f"write one operator: {_MEANT.get(before.text + token.text, before.text)}"
    if before is not None and token.glued and before.kind in _IN_VALUES:
        return f"a value with {token.text} in it stands in double quotes: {_quoted(tokens, at)}"
    return "name a field before the operator"


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` may have meant; empty if none is near."""
    folded = {one.lower(): one for one in known}
    found = difflib.get_close_matches(name[:_LONGEST_NAME].lower(), folded, 1, 0.7)
    return folded[found[0]] if found else ""


def explain_field(path: tuple[str, ...]) -> str:
    """What a field that no entry has may have meant."""
    name = ".".join(path)
    if not {"[", "]"}.isdisjoint(name):
        return 'a key stands behind a dot, in double quotes where it is no plain word: jsonPayload."key"'
    if path[-1] in _LABELS:
        return f"a label of the resource is written resource.labels.{path[-1]}"
    if len(path) == 1 and "/" in name:
        return f"a label is written labels.{quote(name)}"
    found = nearest(name, name_fields())
    if found:
        return f"did you mean {found}?"
    if len(path) == 1:
        return f"a key of the payload is written jsonPayload.{name}"
    return "the fields of an entry: jsonPayload, textPayload, labels, resource.labels, timestamp, ..."


def _open(tokens: Sequence[Token]) -> Token | None:
    """The innermost parenthesis that nothing closes; None where there is none."""
    waiting: list[Token] = []
    for token in tokens:
        if token.kind is Kind.OPEN:
            waiting.append(token)
        elif token.kind is Kind.CLOSE and waiting:
            waiting.pop()
    return waiting[-1] if waiting else None


def _place(token: Token) -> str:
    return f"at line {token.line}, column {token.column}"


def _quoted(tokens: Sequence[Token], at: int) -> str:
    """The run of tokens without white space around `at`, as one string."""
    first, last = at, at
    while first > 0 and tokens[first].glued and not _ends_value(tokens[first - 1]):
        first -= 1
    while tokens[last + 1].glued and tokens[last + 1].kind not in (Kind.END, Kind.CLOSE):
        last += 1
    return quote("".join(token.text for token in tokens[first : last + 1]))


def _ends_value(token: Token) -> bool:
    return token.kind in (Kind.OP, Kind.OPEN, Kind.COMMA)
