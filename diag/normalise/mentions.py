"""Which IDs an entry mentions, and in which role."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from diag.model.catalogue import Catalogue
from diag.model.identifiers import find_in_text, trace_id_of
from diag.model.remembered import Remembered
from diag.normalise.draft import Draft

Mention = tuple[str, str, str]
"""Role, key and text (see `IdMention`)."""

NULL_ROLE = "null"
"""An ID key that holds JSON null: Python services write it for every line that has no session."""

_DEEPEST = 8
_MOST_PAIRS = 64
_NAMES, _VALUES = ("key", "name"), ("value", "stringValue")
_NESTED_JSON_KEYS = frozenset({"rawMessage", "raw_message"})


class MentionFinder:
    """What the catalogue knows of ID keys and of IDs in messages, asked of drafts."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._roles = catalogue.id_roles
        self._catalogue = catalogue
        self._in_message = Remembered(self._search_message)
        self._traces = Remembered(trace_id_of)
        self._in_text = Remembered(find_in_text)
        self._layouts = Remembered(self._lay_out)
        self._in_labels = Remembered(self._search_labels)

    def find(self, draft: Draft) -> tuple[Mention, ...]:
        """Every ID of the entry, each role, key and text once, in the order of their keys."""
        found: list[Mention] = []
        self._add_fields(found, draft.payload, "", _DEEPEST)
        found += self._find_in_labels(draft.labels)
        if draft.trace and (trace := self._traces[draft.trace]) is not None:
            found.append(("trace", "trace", trace))
        found += self._in_message[draft.message]
        return tuple(dict.fromkeys(found) if len(found) > 1 else found)

    def _find_in_labels(self, labels: Mapping[str, Any]) -> Iterable[Mention]:
        """A pod's lines have the same labels, and few of them hold an ID."""
        try:
            return self._in_labels[tuple(labels), tuple(labels.values())]
        except TypeError:  # the log service's labels are texts, a file's may be anything
            return self._search_labels((tuple(labels), tuple(labels.values())))

    def _search_labels(self, labels: tuple[tuple[str, ...], tuple[Any, ...]]) -> tuple[Mention, ...]:
        found: list[Mention] = []
        self._add_fields(found, dict(zip(*labels, strict=True)), "labels.", 1)
        return tuple(found)

    def _lay_out(self, place: tuple[str, tuple[str, ...]]) -> tuple[tuple[str, str, str], ...]:
        """Key, shown key and role (empty: none) for the keys of a mapping at a path.

        They are in the order of their names: the same entry read from a file and through the API must not
        differ.
        """
        path, keys = place
        roles = self._roles
        return tuple((key, path + key, roles.get(key) or roles.get(path + key, "")) for key in sorted(keys))

    def _search_message(self, message: str) -> tuple[Mention, ...]:
        taken = tuple(self._catalogue.ids_in_message(message))
        named = {text for _, _, text in taken}
        return (
            *(one for role, key, text in taken for one in self._as_id(role, key, text)),
            *(("text", "message", text) for text in find_in_text(message) if text not in named),
        )

    def _add_fields(self, found: list[Mention], fields: Mapping[str, Any], path: str, depth: int) -> None:
        for key, shown, role in self._layouts[path, tuple(fields)]:
            value = fields[key]
            if isinstance(value, str):
                if role:
                    found += self._as_id(role, shown, value)
                elif key not in _NESTED_JSON_KEYS or not self._add_nested(found, value, shown, depth):
                    found += [("text", shown, text) for text in self._in_text[value]]
            elif role and not isinstance(value, dict | list):
                found += self._as_id(role, shown, value)
            elif isinstance(value, dict) and depth > 0:
                self._add_fields(found, value, f"{shown}.", depth - 1)
            elif isinstance(value, list) and depth > 0:
                self._add_list(found, value, role, shown, depth)

    def _add_list(self, found: list[Mention], values: list[Any], role: str, shown: str, depth: int) -> None:
        """A header's one value, or headers and attributes as a list of names with their values.

        Several IDs under one key are a list of others'.
        """
        if role:
            alone = values[0] if len(values) == 1 else None
            if isinstance(alone, str):
                found += self._as_id(role, shown, alone)
            return
        pairs = dict(pair for one in values[:_MOST_PAIRS] if (pair := _read_pair(one)) is not None)
        self._add_fields(found, pairs, f"{shown}.", depth - 1)

    def _add_nested(self, found: list[Mention], value: str, shown: str, depth: int) -> bool:
        """Whether `value` is JSON, as some services log the messages that they get."""
        if not value.startswith("{") or depth == 0:
            return False
        try:
            nested = orjson.loads(value)
        except orjson.JSONDecodeError:
            return False  # a cut message is searched as text
        self._add_fields(found, nested, f"{shown}.", depth - 1)
        return True

    def _as_id(self, role: str, key: str, value: Any) -> tuple[Mention, ...]:
        if value is None:
            return ((NULL_ROLE, key, ""),)
        text = value if isinstance(value, str) else str(value)
        if role != "trace":
            return ((role, key, text),)
        trace = self._traces[text]
        return () if trace is None else ((role, key, trace),)


def _read_pair(one: Any) -> tuple[str, Any] | None:
    """``{"key": K, "value": V}``, as HTTP and Kafka headers and OpenTelemetry's attributes are written."""
    if not isinstance(one, dict):
        return None
    name = next((one[key] for key in _NAMES if isinstance(one.get(key), str)), None)
    value = next((one[key] for key in _VALUES if key in one), None)
    if isinstance(value, dict):
        value = value.get("stringValue")
    return (name, value) if name and isinstance(value, str) else None
