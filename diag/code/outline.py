"""What a file's code is made of: the functions that it defines, and the names that it calls or hands on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from diag.model.code import Means


@dataclass(frozen=True, slots=True)
class Defined:
    """A function.

    Attributes:
        name: with its class: ``Delivery.send``.
        last: its last line.
        called_outside: why a caller may not be seen: a decorator, or a name that the language calls.
    """

    name: str
    line: int
    last: int
    called_outside: str = ""

    @property
    def bare(self) -> str:
        """Without its class."""
        return self.name.rpartition(".")[2]

    @property
    def owner(self) -> str:
        """Its class, empty for a function of a module."""
        return self.name.rpartition(".")[0].rpartition(".")[2]


class Of(Enum):
    """Of what a name is used."""

    ITSELF = "self"
    NOTHING = "nothing"
    SOMETHING = "something"


@dataclass(frozen=True, slots=True)
class Used:
    """A name that is called, or handed on to be called: ``self.send``, ``send`` or ``delivery.send``."""

    name: str
    line: int
    of: Of


@dataclass(frozen=True, slots=True)
class Outline:
    """One file.

    Attributes:
        strings: lines in which a text of the program begins or goes on -> the text as the program has it.
        imports: the names of modules and of what is taken from them.
        problem: why it was not parsed though its language is known; empty if it was.
    """

    means: Means
    functions: tuple[Defined, ...] = ()
    uses: tuple[Used, ...] = ()
    strings: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    imports: frozenset[str] = frozenset()
    problem: str = ""

    def find_at(self, line: int) -> Defined | None:
        """The innermost function around a line; None if none."""
        around = [one for one in self.functions if one.line <= line <= one.last]
        return max(around, key=lambda one: one.line) if around else None

    def function_at(self, line: int) -> str:
        """Its name; empty if none."""
        around = self.find_at(line)
        return around.name if around else ""
