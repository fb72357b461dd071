"""A payload's fields, redacted by their keys and by their values' own form."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from diag.model.remembered import Remembered
from diag.normalise.redaction.identifiers import redact_id
from diag.normalise.redaction.keys import NAMES_OF_PAIR, KeyKind, kind_of_key
from diag.normalise.redaction.pseudonyms import NOT_SHOWN, SECRET
from diag.normalise.redaction.text import redact_text
from diag.normalise.redaction.values import to_stand_in

_DEEPEST = 32
_PAIRED = "value"
_LEAST_CARD = 10**13
"""Numbers from here on may be a payment card's; smaller ones are counts, times and offsets."""


def redact_fields(
    fields: Mapping[str, Any], content_keys: frozenset[str], id_keys: frozenset[str]
) -> dict[str, Any]:
    """The payload, redacted; IDs keep their value, contents give way to their length."""
    return FieldRedactor(content_keys, id_keys).redact(fields)


def _redact_key(key: str) -> str:
    return redact_text(key)


class FieldRedactor:
    """Redacts payload after payload; what came once is known when it comes again.

    Attributes:
        texts: a free text -> itself, redacted.
        keys: a key -> itself, redacted.
        ids: what stands under an ID's key -> what is shown of it.
    """

    def __init__(self, content_keys: frozenset[str], id_keys: frozenset[str]) -> None:
        self._id_keys = id_keys
        self.texts: Remembered[str, str] = Remembered(lambda text: redact_text(text, content_keys))
        self.keys: Remembered[str, str] = Remembered(_redact_key)
        self.ids: Remembered[str, str] = Remembered(redact_id)
        self._kinds: Remembered[str, KeyKind] = Remembered(lambda key: kind_of_key(key, content_keys))
        self._strings = {kind: Remembered(partial(self._string, kind)) for kind in KeyKind}
        self._strings[KeyKind.PLAIN] = self.texts
        self._strings_under: Remembered[str, Remembered[str, str]] = Remembered(
            lambda key: self.ids if key in id_keys else self._strings[self._kinds[key]]
        )

    def redact(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The payload, redacted; what fails is not shown, and the other fields are not lost."""
        return {
            self.keys[key]: self._strings_under[key][value]
            if isinstance(value, str)
            else self._shielded(key, value)
            for key, value in fields.items()
        }

    def _string(self, kind: KeyKind, value: str) -> str:
        """A text of that kind, redacted; what fails is not shown."""
        try:
            return self.texts[to_stand_in(kind, value)]
        except Exception:  # noqa: BLE001 - what cannot be redacted is not shown
            return NOT_SHOWN

    def _shielded(self, key: str, value: Any) -> Any:
        try:
            return self._under(key, value, KeyKind.PLAIN, 0)
        except Exception:  # noqa: BLE001 - what cannot be redacted is not shown
            return NOT_SHOWN

    def _under(self, key: str, value: Any, outer: KeyKind, depth: int) -> Any:
        """`value` of `key`; `outer` is what the mapping that holds it stands under."""
        if key in self._id_keys:
            return self._id(value, depth)
        kind = self._kinds[key]
        return self._value(outer if kind is KeyKind.PLAIN else kind, value, depth)

    def _value(self, kind: KeyKind, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self._strings[kind][value]
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float):
            return _redact_number(kind, value)
        if depth == _DEEPEST:
            return NOT_SHOWN
        if isinstance(value, Mapping):
            paired = _name_of_pair(value)
            return {
                self.keys[str(k)]: self._under(paired if k == _PAIRED else str(k), v, kind, depth + 1)
                for k, v in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._value(kind, one, depth + 1) for one in value]
        return self._value(kind, str(value), depth)

    def _id(self, value: Any, depth: int) -> Any:
        if isinstance(value, str):
            return self.ids[value]
        if isinstance(value, list | tuple) and depth < _DEEPEST:
            return [self._id(one, depth + 1) for one in value]
        if isinstance(value, int) and not isinstance(value, bool):
            shown = self.ids[str(value)]
            return value if shown == str(value) else shown
        return self._value(KeyKind.PLAIN, value, depth)


def _name_of_pair(value: Mapping[Any, Any]) -> str:
    """What ``value`` is called in ``{"key": "authorization", "value": ...}``; else just that."""
    names = (name for key, name in value.items() if str(key).lower() in NAMES_OF_PAIR)
    return next((name for name in names if isinstance(name, str)), _PAIRED)


def _redact_number(kind: KeyKind, value: float) -> Any:
    """A secret or a phone number may be written as a number, what was said may not."""
    if kind in (KeyKind.SECRET, KeyKind.HEADER):
        return SECRET
    if kind not in (KeyKind.PHONE, KeyKind.PARTY):
        kind = KeyKind.PLAIN
        if value < _LEAST_CARD:
            return value
    text = str(value)
    shown = redact_text(to_stand_in(kind, text))
    return value if shown == text else shown
