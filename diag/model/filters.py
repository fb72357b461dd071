"""A filter of the Cloud Logging query language as a tree. ``diag.lql`` reads, writes and runs it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Op(StrEnum):
    """Comparison operators, as they are written."""

    EQ = "="
    NE = "!="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    HAS = ":"
    MATCH = "=~"
    NO_MATCH = "!~"


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field op value``. ``field:*`` has the value ``*`` and `quoted` false.

    Attributes:
        path: the field's components, unquoted: ``("labels", "k8s-pod/app")``.
        quoted: whether the value stood in quotes (``*`` and ``NULL_VALUE`` mean themselves then).
    """

    path: tuple[str, ...]
    op: Op
    value: str
    quoted: bool = True


@dataclass(frozen=True, slots=True)
class Words:
    """A search term without a field: it matches in any field of the entry."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function that is a condition by itself: ``log_id("stdout")``."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """True where `term` is not."""

    term: Filter


@dataclass(frozen=True, slots=True)
class And:
    """True where all are; no terms: true."""

    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """True where one is; no terms: false."""

    terms: tuple[Filter, ...]


Filter = And | Or | Not | Comparison | Words | Call

EVERYTHING = And(())
