"""Where a field's values are in an entry in its JSON form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from diag.lql.fields import FieldType, default_of, find_type

Entry = Mapping[str, Any]


def find(entry: Any, path: tuple[str, ...]) -> list[Any]:
    """What stands at `path`, unchanged: nothing where it is missing, more than one below a list."""
    level = entry
    for place, name in enumerate(path):
        if not isinstance(level, Mapping) or name not in level:
            return _find_below(level, path[place:], any_case=path[0] == "protoPayload" and place > 0)
        level = level[name]
    return [level]


def _find_below(level: Any, path: tuple[str, ...], *, any_case: bool) -> list[Any]:
    """The slow way: through the members of lists, and in protoPayload whatever the case of names."""
    here = [level]
    for name in path:
        here = [inner for one in flatten(here) for inner in _get(one, name, any_case=any_case)]
    return here


def _get(level: Any, name: str, *, any_case: bool) -> list[Any]:
    if not isinstance(level, Mapping):
        return []
    if name in level:
        return [level[name]]
    return [level[key] for key in level if key.lower() == name.lower()] if any_case else []


def flatten(values: Iterable[Any]) -> Iterator[Any]:
    """The members of lists one by one, however deep."""
    waiting = list(values)[::-1]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value[::-1]
        else:
            yield value


def compile_any(path: tuple[str, ...], test: Callable[[Any], bool]) -> Callable[[Entry], bool]:
    """Whether `test` holds for one of the values at `path`; the way through plain objects is the fast one."""
    default = default_of(find_type(path) or FieldType.DYNAMIC)
    if_missing = default is not None and test(default)
    in_proto = path[0] == "protoPayload"

    def holds(entry: Entry) -> bool:
        level: Any = entry
        for name in path:
            if level.__class__ is not dict:
                break
            if name not in level:
                if in_proto:
                    break
                return if_missing
            level = level[name]
        else:
            if level.__class__ is not list:
                return test(level)
        return any(map(test, find_or_default(entry, path)))

    return holds


def find_or_default(entry: Entry, path: tuple[str, ...]) -> Iterable[Any]:
    """The values to compare: a field that every entry has counts as its default where it is absent."""
    found = find(entry, path)
    if found:
        return flatten(found)
    default = default_of(find_type(path) or FieldType.DYNAMIC)
    return () if default is None else (default,)


def scalars(value: Any) -> Iterator[Any]:
    """Every scalar at and below `value`, null left out."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting += [*one.values()][::-1]
        elif isinstance(one, list):
            waiting += one[::-1]
        elif one is not None:
            yield one
