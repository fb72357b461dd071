"""YAML as nodes that know their lines, built within bounds and without making any object of it.

A text stays a text: what it means is for those who ask. Tags are not looked at, so nothing is ever
constructed. An alias is the node that it names, so a file of aliases of aliases costs what it is long.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import yaml

MOST_NODES = 200_000
DEEPEST = 60

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(slots=True)
class Node:
    """A text, a list or a table; an absent one is an empty text of line 0.

    Attributes:
        line: from 1.
        quoted: a text that stood in quotation marks, and so is no number.
    """

    line: int = 0
    text: str = ""
    items: list[Node] = field(default_factory=list)
    fields: dict[str, Node] = field(default_factory=dict)
    quoted: bool = False

    def at(self, *names: str) -> Node:
        """The node behind these keys, one in the other."""
        node = self
        for name in names:
            node = node.fields.get(name, NOTHING)
        return node

    @property
    def number(self) -> int | None:
        """A whole number of at most 9 digits."""
        return int(self.text) if self.text.isdecimal() and len(self.text) < 10 and not self.quoted else None

    @property
    def texts(self) -> dict[str, str]:
        """A table of texts: labels, a selector."""
        return {key: one.text for key, one in self.fields.items() if not one.fields and not one.items}


NOTHING = Node()


class BadYamlError(ValueError):
    """A document that is no YAML, or more than is reasonable; the text names the line."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document of a file, and the keys that stand in it twice, each with its line."""

    root: Node
    doubled: tuple[tuple[str, int], ...]


def read_documents(content: bytes) -> Iterator[Document]:
    """The documents of a file, in order; raises `BadYamlError` where it goes wrong."""
    builder = _Builder()
    try:
        for event in yaml.parse(content, Loader=_Loader):
            yield from builder.take(event)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        why = getattr(error, "problem", None) or getattr(error, "reason", None) or "no YAML"
        raise BadYamlError(f"{where}{why}") from error
    except (ValueError, RecursionError) as error:
        raise error if isinstance(error, BadYamlError) else BadYamlError("no YAML") from error


class _Open:
    """A list or table whose end has not come."""

    def __init__(self, node: Node, *, is_table: bool) -> None:
        self.node, self.is_table = node, is_table
        self.key: str | None = None


class _Builder:
    """Events -> documents."""

    def __init__(self) -> None:
        self._stack: list[_Open] = []
        self._anchors: dict[str, Node] = {}
        self._root, self._count = NOTHING, 0
        self._doubled: list[tuple[str, int]] = []

    def take(self, event: yaml.Event) -> Iterator[Document]:
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.DocumentStartEvent):
            self._anchors, self._root, self._doubled = {}, NOTHING, []
        elif isinstance(event, yaml.DocumentEndEvent):
            yield Document(self._root, tuple(self._doubled))
        elif isinstance(event, yaml.ScalarEvent):
            self._place(self._name(event, Node(line, event.value, quoted=not event.implicit[0])))
        elif isinstance(event, yaml.AliasEvent):
            self._place(self._find(event.anchor, line))
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            if self._stack and self._stack[-1].is_table and self._stack[-1].key is None:
                raise BadYamlError(f"line {line}: a table or list where a name should be")
            node = self._name(event, Node(line))
            self._place(node)
            self._open(node, is_table=isinstance(event, yaml.MappingStartEvent))
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._stack.pop()

    def _open(self, node: Node, *, is_table: bool) -> None:
        if len(self._stack) >= DEEPEST:
            raise BadYamlError(f"line {node.line}: nested more than {DEEPEST} deep")
        self._stack.append(_Open(node, is_table=is_table))

    def _name(self, event: yaml.NodeEvent, node: Node) -> Node:
        if event.anchor:
            self._anchors[event.anchor] = node
        return node

    def _find(self, anchor: str, line: int) -> Node:
        node = self._anchors.get(anchor)
        if node is None:
            raise BadYamlError(f"line {line}: no anchor {anchor[:40]!r}")
        if any(one.node is node for one in self._stack):
            raise BadYamlError(f"line {line}: {anchor[:40]!r} holds itself")
        return node

    def _place(self, node: Node) -> None:
        self._count += 1
        if self._count > MOST_NODES:
            raise BadYamlError(f"line {node.line}: more than {MOST_NODES:,} values")
        if not self._stack:
            self._root = node
            return
        inside = self._stack[-1]
        if not inside.is_table:
            inside.node.items.append(node)
        elif inside.key is None:
            inside.key = node.text
        else:
            self._set(inside.node, inside.key, node)
            inside.key = None

    def _set(self, table: Node, key: str, node: Node) -> None:
        if key == "<<":  # a merge: what the table itself says wins, whether before or behind
            for one in node.items or [node]:
                table.fields = {**one.fields, **table.fields}
            return
        if key in table.fields and not _is_merged(table, key):
            self._doubled.append((key, node.line))
        table.fields[key] = node


def _is_merged(table: Node, key: str) -> bool:
    """Whether a key came from another table, which stood before this one."""
    return table.fields[key].line < table.line
