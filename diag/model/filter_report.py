"""What ``diag lql check`` answers: a filter as it was understood, what to watch in it, or its first error."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from diag.model.filters import Filter


class Caution(StrEnum):
    """The known pitfalls of the query language, by the names that machines see."""

    OR_BEFORE_AND = "or-before-and"
    NOT_BEFORE_OR = "not-before-or"
    VALUE_AFTER_OR = "value-after-or"
    LOWER_CASE_OPERATOR = "lower-case-operator"
    OPERATOR_AS_WORD = "operator-as-word"
    FIELD_AS_WORD = "field-as-word"
    EVERY_FIELD = "every-field"
    SEVERITY = "severity"
    MISSING_FIELD = "missing-field"
    NEVER_TRUE = "never-true"
    NO_WILDCARD = "no-wildcard"
    TEXT_ORDER = "text-order"
    QUOTE = "quote"
    NOT_INDEXED = "not-indexed"
    NO_TIME = "no-time"


@dataclass(frozen=True, slots=True)
class Branch:
    """One node of the tree as it is shown: a condition, or a group with the conditions under it.

    Attributes:
        text: the condition in the language, or ``all of``, ``any of``, ``not``.
        meaning: what the condition compares, in words; empty for a group.
    """

    text: str
    meaning: str = ""
    inner: tuple[Branch, ...] = ()


@dataclass(frozen=True, slots=True)
class Note:
    """Something in a filter that is legal and surprises.

    Attributes:
        about: the part of the filter that is meant; empty for the filter as a whole.
        text: what happens.
        instead: what to write; empty where there is nothing better.
    """

    caution: Caution
    about: str
    text: str
    instead: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """The first error, with its place (from 1, in characters) and what to write instead."""

    text: str
    line: int
    column: int
    token: str
    instead: str


@dataclass(frozen=True, slots=True)
class FilterReport:
    """A filter, read.

    Attributes:
        given: the filter as it was typed.
        tree: None where there is a problem.
        spelt: the filter with every precedence in parentheses and every value quoted.
        low_ns: the first instant that can match; None: no bound.
        high_ns: the last one, likewise.
    """

    given: str
    tree: Filter | None = None
    shown: Branch | None = None
    spelt: str = ""
    low_ns: int | None = None
    high_ns: int | None = None
    notes: tuple[Note, ...] = ()
    problem: Problem | None = None
