"""Which IDs an entry mentions, and in which role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
_NESTED_JSON_KEYS = frozenset({"rawMessage", "raw_message"})


class MentionFinder:
    """What the catalogue knows of ID keys and of IDs in messages, asked of drafts."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._roles = catalogue.id_roles
        self._catalogue = catalogue
        self._in_message = Remembered(self._search_message)
        self._traces = Remembered(trace_id_of)

    def find(self, draft: Draft) -> Iterable[Mention]:
        """Every ID of the entry, each role, key and text once, in the order of their keys."""
        found: list[Mention] = []
        self._add_fields(found, draft.payload, "", _DEEPEST)
        self._add_fields(found, draft.labels, "labels.", 1)
        if draft.trace and (trace := self._traces[draft.trace]) is not None:
            found.append(("trace", "trace", trace))
        found += self._in_message[draft.message]
        return dict.fromkeys(found) if len(found) > 1 else found

    def _search_message(self, message: str) -> tuple[Mention, ...]:
        taken = tuple(self._catalogue.ids_in_message(message))
        named = {text for _, _, text in taken}
        return (
            *(one for role, key, text in taken for one in self._as_id(role, key, text)),
            *(("text", "message", text) for text in _ids_in(message) if text not in named),
        )

    def _add_fields(self, found: list[Mention], fields: Mapping[str, Any], path: str, depth: int) -> None:
        # by name: the same entry read from a file and through the API must not differ
        for key in sorted(fields):
            value = fields[key]
            role = self._roles.get(key) or self._roles.get(path + key)
            if role is not None and not isinstance(value, dict | list):
                found += self._as_id(role, path + key, value)
            elif isinstance(value, str):
                if not self._add_nested(found, key, value, path, depth):
                    found += (("text", path + key, text) for text in _ids_in(value))
            elif isinstance(value, dict) and depth > 0:
                self._add_fields(found, value, f"{path}{key}.", depth - 1)

    def _add_nested(self, found: list[Mention], key: str, value: str, path: str, depth: int) -> bool:
        """Whether `value` is JSON, as some services log the messages that they get."""
        if key not in _NESTED_JSON_KEYS or not value.startswith("{") or depth == 0:
            return False
        try:
            nested = orjson.loads(value)
        except orjson.JSONDecodeError:
            return False  # a cut message is searched as text
        self._add_fields(found, nested, f"{path}{key}.", depth - 1)
        return True

    def _as_id(self, role: str, key: str, value: Any) -> Iterator[Mention]:
        if value is None:
            yield NULL_ROLE, key, ""
        elif role == "trace":
            trace = self._traces[str(value)]
            if trace is not None:
                yield role, key, trace
        else:
            yield role, key, value if isinstance(value, str) else str(value)


def _ids_in(text: str) -> tuple[str, ...]:
    return find_in_text(text) if "session" in text or "ws_" in text else ()
