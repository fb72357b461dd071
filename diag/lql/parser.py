"""Tokens -> tree. NOT binds tightest, then OR, then AND, which may be left out."""

from __future__ import annotations

from dataclasses import dataclass

from diag.errors import FilterError
from diag.lql.fields import find_type
from diag.lql.functions import Argument, Made, Value, build_function
from diag.lql.lexer import Kind, Token, tokenize
from diag.lql.regex import compile_regex
from diag.lql.remedies import explain_field, explain_token
from diag.lql.text import quote
from diag.model.filters import EVERYTHING, And, Call, Comparison, Filter, Not, Op, Or, Step, Words

DEEPEST = 60
"""Nested parentheses and negations beyond which a filter is refused, not followed."""

_NAMES = (Kind.TEXT, Kind.STRING, Kind.AND, Kind.OR, Kind.NOT)
_TERM_ENDS = frozenset({Kind.END, Kind.CLOSE, Kind.OR, Kind.COMMA})


def parse(text: str) -> Filter:
    """The tree of `text`; an empty filter matches everything. Raises `FilterError`."""
    parser = _Parser(tokenize(text))
    if parser.peek().kind is Kind.END:
        return EVERYTHING
    tree = parser.conjunction(None)
    if parser.peek().kind is not Kind.END:
        raise parser.refusal()
    return tree


@dataclass(frozen=True, slots=True)
class _Head:
    """``field op``, for which a parenthesised argument is distributed over its values."""

    path: tuple[str, ...]
    steps: tuple[Step, ...]
    op: Op


class _Parser:
    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def peek(self) -> Token:
        return self._tokens[self._at]

    def take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def refusal(self) -> FilterError:
        """The error that the next token is in the wrong place."""
        return self.peek().refuse(hint=explain_token(self._tokens, self._at))

    def conjunction(self, head: _Head | None) -> Filter:
        terms = [self.disjunction(head)]
        while True:
            if self.peek().kind is Kind.AND:
                self.take()
            elif self.peek().kind in _TERM_ENDS:
                break
            terms.append(self.disjunction(head))
        return terms[0] if len(terms) == 1 else And(tuple(terms))

    def disjunction(self, head: _Head | None) -> Filter:
        terms = [self.term(head)]
        while self.peek().kind is Kind.OR:
            self.take()
            terms.append(self.term(head))
        return terms[0] if len(terms) == 1 else Or(tuple(terms))

    def term(self, head: _Head | None) -> Filter:
        token = self.peek()
        self._depth += 1
        if self._depth > DEEPEST:
            raise token.refuse("filter is nested too deep", hint="ask in several filters")
        try:
            if token.kind in (Kind.NOT, Kind.MINUS):
                self.take()
                return Not(self.term(head))
            if token.kind is Kind.OPEN:
                return self._parenthesised(head)
            return self._restriction() if head is None else self._value_of(head)
        finally:
            self._depth -= 1

    def _parenthesised(self, head: _Head | None) -> Filter:
        self.take()
        inner = self.conjunction(head)
        if self.peek().kind is not Kind.CLOSE:
            raise self.refusal()
        self.take()
        return inner

    def _restriction(self) -> Filter:
        first = self.peek()
        if first.kind not in (Kind.TEXT, Kind.STRING):
            raise self.refusal()
        if self._is_call():
            return self._condition_of(first, self._call())
        path = self._member()
        if self.peek().kind is not Kind.OP:
            return Words(".".join(path))
        if find_type(path) is None:
            name = ".".join(path)
            raise first.refuse("no log entry has the field", token=name, hint=explain_field(path))
        return self._compared(path, ())

    def _compared(self, path: tuple[str, ...], steps: tuple[Step, ...]) -> Filter:
        head = _Head(path, steps, Op(self.take().text))
        return self._parenthesised(head) if self.peek().kind is Kind.OPEN else self._value_of(head)

    def _is_call(self) -> bool:
        following = self._tokens[self._at + 1] if self.peek().kind is Kind.TEXT else None
        return following is not None and following.kind is Kind.OPEN and following.glued

    def _condition_of(self, name: Token, made: Made) -> Filter:
        compared = self.peek().kind is Kind.OP
        if isinstance(made, Call) and not compared:
            return made
        if isinstance(made, Value) and compared:
            return self._compared(made.path, made.steps)
        if isinstance(made, Call):
            raise self.peek().refuse(hint=f"{name.text}(...) is a condition by itself")
        raise name.refuse(hint=f"{name.text}(...) is a value: compare it")

    def _call(self) -> Made:
        name = self.take()
        self._depth += 1
        if self._depth > DEEPEST:
            raise name.refuse("filter is nested too deep", hint="ask in several filters")
        self.take()
        arguments = [self._argument()] if self.peek().kind is not Kind.CLOSE else []
        while self.peek().kind is Kind.COMMA:
            self.take()
            arguments.append(self._argument())
        if self.peek().kind in (Kind.TEXT, Kind.STRING):
            raise self.peek().refuse(hint="write a comma between two arguments")
        if self.peek().kind is not Kind.CLOSE:
            raise self.refusal()
        self.take()
        self._depth -= 1
        return build_function(name, tuple(arguments))

    def _argument(self) -> Argument:
        first = self.peek()
        if self._is_call():
            return Argument(first, made=self._call())
        if first.kind is Kind.TEXT:
            path = self._member()
            return Argument(first, ".".join(path), path)
        text, _ = self._value()
        return Argument(first, text)

    def _member(self) -> tuple[str, ...]:
        path = [self.take().text]
        while self.peek().kind is Kind.DOT and self.peek().glued:
            self.take()
            if self.peek().kind not in _NAMES:
                raise self.refusal()
            path.append(self.take().text)
        return tuple(path)

    def _value_of(self, head: _Head) -> Comparison:
        place = self.peek()
        if self._is_call():
            raise place.refuse(hint="a function stands before the operator, not after it")
        value, quoted = self._value()
        if head.op in (Op.MATCH, Op.NO_MATCH):
            _check_regex(place, value, quoted=quoted)
        return Comparison(head.path, head.op, value, quoted, head.steps)

    def _value(self) -> tuple[str, bool]:
        """A value and whether it was quoted. Unquoted, it may be negative and hold dots: ``-1.5``."""
        if self.peek().kind not in (Kind.TEXT, Kind.STRING, Kind.MINUS):
            raise self.refusal()
        first = self.take()
        if first.kind is Kind.STRING:
            return first.text, True
        parts = [first.text]
        if first.kind is Kind.MINUS:
            parts.append(self._word())
        while self.peek().kind is Kind.DOT and self.peek().glued:
            self.take()
            parts += [".", self._word()]
        return "".join(parts), False

    def _word(self) -> str:
        if self.peek().kind is not Kind.TEXT or not self.peek().glued:
            raise self.refusal()
        return self.take().text


def _check_regex(place: Token, value: str, *, quoted: bool) -> None:
    if not quoted:
        hint = f"write {quote(value)}"
        raise place.refuse("a regular expression must stand in double quotes", hint=hint)
    try:
        compile_regex(value)
    except ValueError as error:
        hint = "the syntax is RE2's; a character that means itself takes \\\\ before it"
        raise place.refuse(f"bad regular expression ({error})", hint=hint) from error
