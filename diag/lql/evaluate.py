"""Tree -> predicate over entries in their JSON form (camelCase, RFC 3339 times, severity names).

The rules that surprise ("Comparisons" and "Missing fields" of the query language): a comparison
with a missing field is false, also ``!=``, so that only ``NOT field=x`` finds entries without the
field; a field that every entry has counts as its default where it is absent; text compares without
regard to case; a list matches if one member does; regular expressions are RE2, unanchored, and
regard case.
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from diag.lql.fields import SEVERITIES, FieldType, default_of, find_type
from diag.lql.regex import compile_regex
from diag.model.filters import And, Call, Comparison, Filter, Not, Op, Or, Words
from diag.model.instants import parse_instant

Entry = Mapping[str, Any]
Predicate = Callable[[Entry], bool]
_Test = Callable[[Any], bool]

_ORDERING: Mapping[Op, Callable[[Any, Any], bool]] = {
    Op.EQ: operator.eq,
    Op.NE: operator.ne,
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
}
_DURATION_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def compile_filter(tree: Filter) -> Predicate:
    """A function that says whether an entry matches."""
    match tree:
        case And(terms=terms):
            parts = [compile_filter(term) for term in terms]
            return lambda entry: all(part(entry) for part in parts)
        case Or(terms=terms):
            parts = [compile_filter(term) for term in terms]
            return lambda entry: any(part(entry) for part in parts)
        case Not(term=term):
            inner = compile_filter(term)
            return lambda entry: not inner(entry)
        case Words(text=text):
            needle = fold(text)
            return lambda entry: any(needle in fold(value) for value in _texts(entry))
        case Call(arguments=arguments):
            return _log_id(arguments[0])
        case Comparison():
            return _comparison(tree)


@lru_cache(maxsize=4096)
def fold(text: str) -> str:
    """`text` as comparisons see it: normalised, without case."""
    return text.lower() if text.isascii() else unicodedata.normalize("NFKC", text.casefold())


def _log_id(wanted: str) -> Predicate:
    suffix = "/logs/" + wanted.replace("/", "%2F")
    return lambda entry: str(entry.get("logName", "")).endswith(suffix)


def _comparison(tree: Comparison) -> Predicate:
    kind = find_type(tree.path) or FieldType.DYNAMIC
    if tree.op is Op.HAS and tree.value == "*" and not tree.quoted:
        return lambda entry: any(True for _ in _values(entry, tree.path))
    test, default = _test(tree, kind), default_of(kind)

    def matches(entry: Entry) -> bool:
        found = False
        for value in _values(entry, tree.path):
            found = True
            if test(value):
                return True
        return not found and default is not None and test(default)

    return matches


def _values(entry: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """The values at `path`, the members of a list one by one; nothing where it is missing."""
    level = entry
    for place, name in enumerate(path):
        if isinstance(level, list):
            for member in level:
                yield from _values(member, path[place:])
            return
        if not isinstance(level, Mapping) or name not in level:
            return
        level = level[name]
    if isinstance(level, list):
        yield from level
    else:
        yield level


def _texts(value: Any) -> Iterator[str]:
    """Every scalar below `value`, as text."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif value is not None:
        yield value if isinstance(value, str) else _scalar_text(value)


def _scalar_text(value: Any) -> str:
    return (
        str(value).lower()
        if isinstance(value, bool)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def _test(tree: Comparison, kind: FieldType) -> _Test:
    if tree.op in (Op.MATCH, Op.NO_MATCH):
        return _regex(tree)
    if tree.value == "NULL_VALUE" and not tree.quoted:
        return (lambda value: value is not None) if tree.op is Op.NE else (lambda value: value is None)
    if kind is FieldType.DYNAMIC:
        return _dynamic(tree)
    if kind is FieldType.TEXT:
        return _text_test(tree)
    return _converted(tree, _CONVERTERS[kind])


def _regex(tree: Comparison) -> _Test:
    search, wanted = compile_regex(tree.value), tree.op is Op.MATCH
    return lambda value: isinstance(value, str) and search(value) is wanted


def _text_test(tree: Comparison) -> _Test:
    wanted = fold(tree.value)
    if tree.op is Op.HAS:
        return lambda value: wanted in fold(str(value))
    compare = _ORDERING[tree.op]
    return lambda value: compare(fold(str(value)), wanted)


def _converted(tree: Comparison, convert: Callable[[Any], Any]) -> _Test:
    """Both sides in the field's type; a value that cannot be one makes the comparison false."""
    wanted = convert(tree.value)
    if wanted is None:
        return lambda _: False
    compare = operator.eq if tree.op is Op.HAS else _ORDERING[tree.op]

    def test(value: Any) -> bool:
        given = convert(value)
        return given is not None and compare(given, wanted)

    return test


def _dynamic(tree: Comparison) -> _Test:
    """The value decides: text, number, boolean; ``:`` on an object looks at everything below it."""
    by_text, by_number = _text_test(tree), _converted(tree, _to_number)
    by_boolean, needle = _converted(tree, _to_boolean), fold(tree.value)

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return by_text(value)
        if isinstance(value, bool):
            return by_boolean(value)
        if isinstance(value, int | float):
            return by_number(value)
        if isinstance(value, Mapping):
            return tree.op is Op.HAS and any(needle in fold(text) for text in _texts(value))
        return False

    return test


def _to_number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _to_boolean(value: Any) -> bool | None:
    return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())


def find_severity(value: Any) -> int | None:
    """The number of a severity that is given by name or number; None if it is neither."""
    number = _to_number(value)
    return SEVERITIES.get(str(value).upper()) if number is None else int(number)


def _to_duration(value: Any) -> float | None:
    text = str(value)
    unit = next((unit for unit in ("ns", "us", "ms", "s", "m", "h") if text.endswith(unit)), None)
    number = _to_number(text[: -len(unit)]) if unit else None
    return None if number is None or unit is None else number * _DURATION_UNITS[unit]


@lru_cache(maxsize=4096)
def _to_instant(value: Any) -> int | None:
    return parse_instant(str(value))


_CONVERTERS: Mapping[FieldType, Callable[[Any], Any]] = {
    FieldType.TIMESTAMP: _to_instant,
    FieldType.SEVERITY: find_severity,
    FieldType.INTEGER: _to_number,
    FieldType.BOOLEAN: _to_boolean,
    FieldType.DURATION: _to_duration,
}


def is_never_true(tree: Comparison) -> bool:
    """Whether the value cannot be of the field's type, so that no entry can match."""
    convert = _CONVERTERS.get(find_type(tree.path) or FieldType.DYNAMIC)
    if convert is None or tree.op in (Op.MATCH, Op.NO_MATCH):
        return False
    if not tree.quoted and tree.value in ("*", "NULL_VALUE"):
        return False
    return convert(tree.value) is None
