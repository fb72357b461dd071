"""Which IDs an entry mentions, and in which role."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from diag.model.catalogue import Catalogue
from diag.model.identifiers import find_in_text, trace_id_of
from diag.model.records import IdMention
from diag.normalise.draft import Draft

NULL_ROLE = "null"
"""An ID key that holds JSON null: Python services write it for every line that has no session."""

_DEEPEST = 8
_NESTED_JSON_KEYS = frozenset({"rawMessage", "raw_message"})


def find_mentions(draft: Draft, catalogue: Catalogue) -> tuple[IdMention, ...]:
    """Every ID of the entry, each role and text once, in the order of their keys."""
    found = list(_in_mapping(draft.payload, catalogue, "", _DEEPEST))
    found += _in_mapping(draft.labels, catalogue, "labels.", 1)
    trace = trace_id_of(draft.trace) if draft.trace else None
    if trace is not None:
        found.append(IdMention("trace", "trace", trace))
    taken = tuple(catalogue.ids_in_message(draft.message))
    found += (one for role, key, text in taken for one in _as_id(role, key, text))
    named = {text for _, _, text in taken}
    found += (IdMention("text", "message", text) for text in _in_text(draft.message) if text not in named)
    return tuple({(one.role, one.text, one.key): one for one in found}.values())


def _in_mapping(
    fields: Mapping[str, Any], catalogue: Catalogue, path: str, depth: int
) -> Iterator[IdMention]:
    # by name: the same entry read from a file and through the API must not differ
    for key, value in sorted(fields.items()):
        role = catalogue.id_roles.get(key) or catalogue.id_roles.get(path + key)
        if role is not None and not isinstance(value, dict | list):
            yield from _as_id(role, path + key, value)
        elif isinstance(value, str):
            yield from _in_value(key, value, catalogue, path, depth)
        elif isinstance(value, dict) and depth > 0:
            yield from _in_mapping(value, catalogue, f"{path}{key}.", depth - 1)


def _as_id(role: str, key: str, value: Any) -> Iterator[IdMention]:
    if value is None:
        yield IdMention(NULL_ROLE, key, "")
    elif role == "trace":
        trace = trace_id_of(str(value))
        if trace is not None:
            yield IdMention(role, key, trace)
    else:
        yield IdMention(role, key, str(value))


def _in_value(key: str, value: str, catalogue: Catalogue, path: str, depth: int) -> Iterator[IdMention]:
    if key in _NESTED_JSON_KEYS and value.startswith("{") and depth > 0:
        try:
            yield from _in_mapping(orjson.loads(value), catalogue, f"{path}{key}.", depth - 1)
        except orjson.JSONDecodeError:
            pass  # a cut message is searched as text, below
        else:
            return
    yield from (IdMention("text", path + key, text) for text in _in_text(value))


def _in_text(text: str) -> tuple[str, ...]:
    return find_in_text(text) if "session" in text or "ws_" in text else ()
