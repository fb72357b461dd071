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


class CastType(StrEnum):
    """What ``cast`` can make of a value."""

    STRING = "STRING"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    BOOL = "BOOL"
    TIMESTAMP = "TIMESTAMP"
    DURATION = "DURATION"


@dataclass(frozen=True, slots=True)
class Cast:
    """``cast(..., kind)``; `zone` is an IANA name, for what turns a time into text or back."""

    kind: CastType
    zone: str = ""


@dataclass(frozen=True, slots=True)
class Extract:
    """``regexp_extract(..., pattern)``: what its one group matches first."""

    pattern: str


Step = Cast | Extract


@dataclass(frozen=True, slots=True)
class Comparison:
    """``field op value``. ``field:*`` has the value ``*`` and `quoted` false.

    Attributes:
        path: the field's components, unquoted: ``("labels", "k8s-pod/app")``.
        quoted: whether the value stood in quotes (``*`` and ``NULL_VALUE`` mean themselves then).
        steps: what is made of the field's value before it is compared, innermost first.
    """

    path: tuple[str, ...]
    op: Op
    value: str
    quoted: bool = True
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """A search term without a field: it matches in any field of the entry."""

    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function that is a condition by itself: ``log_id("stdout")``.

    Attributes:
        name: in lower case.
        path: the field that it asks about; empty where it takes none.
    """

    name: str
    arguments: tuple[str, ...]
    path: tuple[str, ...] = ()


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
