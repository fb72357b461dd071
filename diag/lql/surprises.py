"""What a reader may take another way than the language does, by the text alone: precedence, words, quotes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from diag.lql.lexer import Kind, Token, tokenize
from diag.model.filter_report import Caution, Note

_ENDS = frozenset({Kind.TEXT, Kind.STRING, Kind.CLOSE})
_STARTS = frozenset({Kind.TEXT, Kind.STRING, Kind.OPEN, Kind.NOT, Kind.MINUS})
_OPERATORS = {"and": "AND", "or": "OR", "not": "NOT", "&&": "AND", "||": "OR"}
_CURLY = ("\u201c", "\u201d", "\u201e", "\u2018", "\u2019")


@dataclass(slots=True)
class _Group:
    """What was seen between two parentheses, in conditions that nobody would read as separate lines."""

    ands: int = 0
    or_at: Token | None = None
    mixed_at: Token | None = None  # an OR that has an AND beside it
    not_at: Token | None = None  # a NOT before the condition that is being read
    not_reached_or: Token | None = None


def find_surprises(text: str) -> Iterator[Note]:
    """The notes of a filter that parses, in the order of its text."""
    tokens = tokenize(text)
    lines = text.split("\n")
    yield from _precedence(tokens)
    for before, token, after in zip((None, *tokens), tokens, (*tokens[1:], tokens[-1]), strict=False):
        if token.kind is Kind.TEXT:
            yield from _word(before, token, after)
        elif token.kind is Kind.STRING and lines[token.line - 1][token.column - 1] == "'":
            why = "the documentation knows double quotes only"
            yield _note(Caution.QUOTE, token, why, 'write "..." around it')


def _precedence(tokens: Sequence[Token]) -> Iterator[Note]:
    groups = [_Group()]
    for before, token in zip((None, *tokens), tokens, strict=False):
        _see(groups[-1], before, token)
        if token.kind is Kind.OPEN:
            groups.append(_Group())
        elif token.kind is Kind.CLOSE and len(groups) > 1:
            yield from _notes_of(groups.pop())
    yield from _notes_of(groups.pop())


def _see(group: _Group, before: Token | None, token: Token) -> None:
    if before is not None and _is_boundary(before, token):
        group.not_at = None
        if before.line == token.line:
            group.ands += 1
        else:
            group.ands, group.or_at = 0, None
    if token.kind is Kind.AND:
        group.ands, group.not_at = group.ands + 1, None
    elif token.kind is Kind.OR:
        group.or_at = group.or_at or token
        group.not_reached_or = group.not_reached_or or group.not_at
        group.not_at = None
    elif token.kind is Kind.NOT:
        group.not_at = token
    if group.ands:
        group.mixed_at = group.mixed_at or group.or_at


def _is_boundary(before: Token, token: Token) -> bool:
    """Whether an AND was left out between the two; ``name(`` is a call."""
    if before.kind not in _ENDS or token.kind not in _STARTS:
        return False
    return not (token.kind is Kind.OPEN and token.glued and before.kind is Kind.TEXT)


def _notes_of(group: _Group) -> Iterator[Note]:
    if group.mixed_at is not None:
        yield _note(
            Caution.OR_BEFORE_AND,
            group.mixed_at,
            "OR binds before AND: a AND b OR c is a AND (b OR c)",
            "put parentheses around what belongs together",
        )
    if group.not_reached_or is not None:
        yield _note(
            Caution.NOT_BEFORE_OR,
            group.not_reached_or,
            "NOT takes the next condition only: NOT a OR b is (NOT a) OR b",
            "write NOT (a OR b) if both are meant",
        )


def _word(before: Token | None, token: Token, after: Token) -> Iterator[Note]:
    value = before is not None and before.kind in (Kind.OP, Kind.DOT)
    if token.text in _OPERATORS and not value and after.kind not in (Kind.OP, Kind.DOT):
        meant = _OPERATORS[token.text]
        yield _note(
            Caution.OPERATOR_AS_WORD if meant.lower() != token.text else Caution.LOWER_CASE_OPERATOR,
            token,
            f"{token.text} is a word to look for, not an operator",
            f"write {meant}",
        )
    elif token.text.startswith(_CURLY) or token.text.endswith(_CURLY):
        text = "a curly quote is part of the text, it quotes nothing"
        yield _note(Caution.QUOTE, token, text, 'write "..." around it')
    elif "*" in token.text and token.text != "*":
        yield _note(
            Caution.NO_WILDCARD,
            token,
            "* stands for itself, there are no wildcards",
            'use field:"part", or field=~"^part"',
        )


def _note(caution: Caution, token: Token, text: str, instead: str) -> Note:
    place = f"line {token.line}, column {token.column}"
    return Note(caution, f"{token.text} at {place}", text, instead)
