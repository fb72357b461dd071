"""The functions that are conditions by themselves, run."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

from diag.lql.convert import to_text
from diag.lql.search import compile_query
from diag.lql.values import Entry, find, find_or_default, flatten, scalars
from diag.model.filters import Call

_Predicate = Callable[[Entry], bool]
_LARGEST_HASH = 2**64 - 1
_NO_TEXTS = frozenset({"timestamp", "receiveTimestamp", "severity"})


def compile_call(call: Call) -> _Predicate:
    """A function that says whether an entry matches."""
    return _COMPILERS[call.name](call)


def _log_id(call: Call) -> _Predicate:
    suffix = "/logs/" + call.arguments[0].replace("/", "%2F")
    return lambda entry: str(entry.get("logName", "")).endswith(suffix)


def _source(call: Call) -> _Predicate:
    prefix = f"{call.arguments[0]}/logs/"
    return lambda entry: str(entry.get("logName", "")).startswith(prefix)


def _sample(call: Call) -> _Predicate:
    """By a hash of the value, so that the same entries are in the sample every time."""
    fraction = float(call.arguments[0])

    def matches(entry: Entry) -> bool:
        texts = (to_text(value) for value in find_or_default(entry, call.path))
        return any(_hash(text) <= fraction for text in texts if text is not None)

    return matches


def _hash(text: str) -> float:
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") / _LARGEST_HASH


def _ip_in_net(call: Call) -> _Predicate:
    subnet = ip_network(call.arguments[0], strict=False)
    return lambda entry: any(_is_inside(value, subnet) for value in flatten(find(entry, call.path)))


def _is_inside(value: Any, subnet: IPv4Network | IPv6Network) -> bool:
    try:
        given = ip_network(value, strict=False) if isinstance(value, str) else None
    except ValueError:
        return False
    if isinstance(given, IPv4Network) and isinstance(subnet, IPv4Network):
        return given.subnet_of(subnet)
    return isinstance(given, IPv6Network) and isinstance(subnet, IPv6Network) and given.subnet_of(subnet)


def _search(call: Call) -> _Predicate:
    tests = compile_query(call.arguments[0])

    def matches(entry: Entry) -> bool:
        texts = [value for value in _searched(entry, call.path) if isinstance(value, str)]
        return all(any(map(test, texts)) for test in tests)

    return matches


def _searched(entry: Entry, path: tuple[str, ...]) -> Any:
    if path:
        return scalars(find(entry, path))
    return scalars([entry[name] for name in entry if name not in _NO_TEXTS])


_COMPILERS: Mapping[str, Callable[[Call], _Predicate]] = {
    "log_id": _log_id,
    "source": _source,
    "sample": _sample,
    "ip_in_net": _ip_in_net,
    "search": _search,
}
