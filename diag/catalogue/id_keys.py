"""Which fields hold IDs, and in which role they should be read.

A field is one if its values look like IDs, or if they recur in other services' lines under whatever
key. Some values are kept to see their form and to compare them; none is ever given out.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from diag.catalogue.bounded import Lowest
from diag.catalogue.id_forms import describe_form, looks_like_id
from diag.model.catalogue import FORM_KINDS
from diag.model.identifiers import IdKind, classify, trace_id_of
from diag.model.proposal import ProposedKey

T = TypeVar("T")

FIELD, MESSAGE = "field", "message"

MOST_KEYS = 2_000
_MOST_VALUES = 256
_LONGEST = 200
_LONG = 16  # characters; a shorter value under a name that tells nothing is no ID
_NO_WORD = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])[\w-]{8,}")
_LEAST_SHARE = 0.8  # of a key's values that must look like IDs

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAMED_ID = frozenset({"id", "ids", "sid", "uuid", "guid", "cid", "key"})
# First that fits wins. What names a person, a machine or a single step never links lines by itself.
_ROLES: tuple[tuple[str, frozenset[str]], ...] = (
    ("", frozenset({
        "span", "parent", "message", "msg", "insert", "event", "job", "user", "tenant", "account", "customer",
        "device", "model", "host", "hostname", "pod", "container", "image", "node", "process", "thread",
        "group", "partition", "offset", "version", "commit", "sha", "digest", "request", "req", "phone",
        "number", "url", "path", "file", "name", "ip", "addr", "address", "email", "time",
        "timestamp", "date",
    })),
    ("trace", frozenset({"trace", "traceparent"})),
    ("turn", frozenset({"turn", "utterance"})),
    ("session", frozenset({"session", "call", "conversation", "dialog", "dialogue", "sid"})),
    ("connection", frozenset({"connection", "conn", "socket", "ws", "channel", "peer", "stream", "client"})),
)  # fmt: skip


@dataclass(slots=True)
class _Seen:
    """One key as one service writes it."""

    lines: int = 0
    values: Lowest[str] = field(default_factory=lambda: Lowest(_MOST_VALUES))

    def sample(self) -> tuple[str, ...]:
        return tuple(value for value, _ in self.values.items())


ByKey = Mapping[str, Mapping[str, _Seen]]
"""Key -> service -> what was seen."""


class KeyFinder:
    """Takes lines' fields, gives the keys that hold IDs; `known` are the catalogue's own."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._known = known
        self._seen: Lowest[_Seen] = Lowest(MOST_KEYS)

    def add(self, service: str, values: Iterable[tuple[str, str]], origin: str = FIELD) -> None:
        """The IDs and other values of one line, by key; `origin` tells fields from words of the message."""
        for key, value in values:
            if 0 < len(value) <= _LONGEST:
                place = f"{origin}\n{service}\n{key}"
                self._seen.put(place, _Seen(), _same)
                seen = self._seen.get(place)
                if seen is not None:
                    seen.lines += 1
                    seen.values.put(value, value, _same)

    def find(self) -> FoundKeys:
        """The keys that hold IDs; a word of the message only if no field holds what it holds."""
        fields, words = self._by_key(FIELD), self._by_key(MESSAGE)
        writers = _writers((*fields.values(), *words.values()))
        new = self._propose(fields, writers)
        holders = self._holders(fields, new)
        words = {key: by for key, by in words.items() if key not in fields and not _are_held(by, holders)}
        more = self._propose(words, writers)
        return FoundKeys((*new, *more), {**self._holders(words, more), **holders})

    def _by_key(self, wanted: str) -> ByKey:
        by_key: defaultdict[str, dict[str, _Seen]] = defaultdict(dict)
        for place, seen in self._seen.items():
            origin, service, key = place.split("\n")
            if origin == wanted:
                by_key[key][service] = seen
        return by_key

    def _propose(self, keys: ByKey, writers: Mapping[str, set[str]]) -> tuple[ProposedKey, ...]:
        unknown = (key for key in sorted(keys) if not self._knows(key))
        found = (_propose_key(key, keys[key], writers) for key in unknown)
        return tuple(one for one in found if one is not None)

    def _holders(self, keys: ByKey, new: Iterable[ProposedKey]) -> Mapping[str, str]:
        """An ID -> a key under which it stands, a session's before others."""
        roles = {key: self._known.get(key, "") for key in keys if self._knows(key)}
        roles |= {one.key: one.role for one in new if one.role}
        linking = sorted(roles, key=lambda key: (roles[key] != "session", key))
        return {
            value: key for key in reversed(linking) for one in keys[key].values() for value in one.sample()
        }

    def _knows(self, key: str) -> bool:
        return key in self._known or key.rpartition(".")[2] in self._known


@dataclass(frozen=True, slots=True)
class FoundKeys:
    """The keys that hold IDs.

    Attributes:
        new: those that the catalogue does not know, sorted.
        holders: an ID -> a key that holds it, new or not.
    """

    new: tuple[ProposedKey, ...]
    holders: Mapping[str, str]

    def holds(self, word: str) -> bool:
        """Whether a word that has no digit is an ID all the same: a key holds it, and it is no plain word."""
        return _NO_WORD.fullmatch(word) is not None and word in self.holders

    def key_of(self, *values: str) -> str:
        """The one key that holds IDs like all of `values`; empty if there is none."""
        held = {self.holders.get(value, "") for value in values}
        if len(held) == 1 and held != {""}:
            return held.pop()
        fitting = (
            one.key
            for one in self.new
            if one.role and one.form and all(re.fullmatch(one.form, value) for value in values)
        )
        return next(fitting, "")


def _same(kept: T, _: T) -> T:
    return kept


def _are_held(by_service: Mapping[str, _Seen], holders: Mapping[str, str]) -> bool:
    values = [value for one in by_service.values() for value in one.sample()]
    return 2 * sum(value in holders for value in values) >= len(values)


def _writers(keys: Iterable[Mapping[str, _Seen]]) -> Mapping[str, set[str]]:
    """An ID -> the services in whose lines it stands."""
    writers: defaultdict[str, set[str]] = defaultdict(set)
    for by_service in keys:
        for service, seen in by_service.items():
            for value in seen.sample():
                if looks_like_id(value, named=True):
                    writers[value].add(service)
    return writers


def _propose_key(
    key: str, by_service: Mapping[str, _Seen], writers: Mapping[str, set[str]]
) -> ProposedKey | None:
    values = sorted({value for seen in by_service.values() for value in seen.sample()})
    words = [word.lower() for word in _WORDS.findall(key.rpartition(".")[2])]
    named = bool((_NAMED_ID | {"trace", "traceparent"}) & set(words[-1:]))
    if sum(looks_like_id(value, named=named) for value in values) < _LEAST_SHARE * len(values):
        return None
    shared = any(len(writers.get(value, ())) > 1 for value in values)
    if not (named or shared or any(len(value) >= _LONG for value in values)):
        return None
    role = _role_of(words, values, named=named, shared=shared)
    own = [value for value in values if classify(value).kind is IdKind.MALFORMED]
    form = describe_form(own) if own and role in FORM_KINDS else ""
    lines = sum(seen.lines for seen in by_service.values())
    return ProposedKey(key, role, lines, tuple(sorted(by_service)), shared, form)


def _role_of(words: Iterable[str], values: Iterable[str], *, named: bool, shared: bool) -> str:
    """By the key's name; a name that tells nothing is a session's if its IDs recur elsewhere."""
    own = set(words)
    role = next((role for role, telling in _ROLES if own & telling), "session" if shared and named else "")
    if role == "trace" and any(trace_id_of(value) is None for value in values):
        return ""
    return role
