"""Tree -> predicate over entries in their JSON form (camelCase, RFC 3339 times, severity names).

The rules that surprise ("Comparisons" and "Missing fields" of the query language): a comparison
with a missing field is false, also ``!=``, so that only ``NOT field=x`` finds entries without the
field; a field that every entry has counts as its default where it is absent; text compares without
regard to case; a list matches if one member does; regular expressions are RE2, unanchored, and
regard case.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from diag.lql.calls import compile_call
from diag.lql.convert import CONVERTERS, fold, to_boolean, to_number, to_text
from diag.lql.fields import FieldType, type_of
from diag.lql.regex import compile_regex
from diag.lql.steps import compile_steps
from diag.lql.values import Entry, compile_any, find, scalars
from diag.model.filters import And, Call, Comparison, Filter, Not, Op, Or, Words

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
_TYPED = frozenset({"timestamp", "receiveTimestamp", "severity"})


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
            return _words(text)
        case Call():
            return compile_call(tree)
        case Comparison():
            return _comparison(tree)


def is_never_true(tree: Comparison) -> bool:
    """Whether the value cannot be of the field's type, so that no entry can match."""
    convert = CONVERTERS.get(type_of(tree))
    if convert is None:
        return False
    if tree.op in (Op.MATCH, Op.NO_MATCH):
        return True  # patterns are for text alone, however the entry's JSON form writes the field
    if not tree.quoted and tree.value in ("*", "NULL_VALUE"):
        return False
    return convert(tree.value) is None


def _words(text: str) -> Predicate:
    """A global restriction: ``:`` on every field, each in its own type."""
    typed = [(name, _comparison(Comparison((name,), Op.HAS, text))) for name in sorted(_TYPED)]
    test = _dynamic(Comparison((), Op.HAS, text))

    def matches(entry: Entry) -> bool:
        untyped = [entry[name] for name in entry if name not in _TYPED]
        return any(map(test, scalars(untyped))) or any(
            name in entry and holds(entry) for name, holds in typed
        )

    return matches


def _comparison(tree: Comparison) -> Predicate:
    path = tree.path
    if not tree.steps and tree.op is Op.HAS and tree.value == "*" and not tree.quoted:
        return lambda entry: bool(find(entry, path))
    test = _test(tree)
    if tree.steps:
        prepare = compile_steps(path, tree.steps)
        return lambda entry: any(map(test, prepare(entry)))
    return compile_any(path, test)


def _test(tree: Comparison) -> _Test:
    kind = type_of(tree)
    if is_never_true(tree):
        return lambda _: False
    if tree.op in (Op.MATCH, Op.NO_MATCH):
        return _regex(tree)
    if not tree.quoted and tree.value == "*" and tree.op is Op.HAS:
        return lambda _: True
    if tree.value == "NULL_VALUE" and not tree.quoted:
        return (lambda value: value is not None) if tree.op is Op.NE else (lambda value: value is None)
    if kind is FieldType.DYNAMIC:
        return _dynamic(tree)
    if kind is FieldType.TEXT:
        return _text_test(tree)
    return _converted(tree, CONVERTERS[kind])


def _regex(tree: Comparison) -> _Test:
    search, wanted = compile_regex(tree.value), tree.op is Op.MATCH
    return lambda value: isinstance(value, str) and search(value) is wanted


def _text_test(tree: Comparison) -> _Test:
    wanted = fold(tree.value)
    compare = operator.contains if tree.op is Op.HAS else _ORDERING[tree.op]

    def test(value: Any) -> bool:
        text = value if value.__class__ is str else to_text(value)
        return text is not None and compare(fold(text), wanted)

    return test


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
    """The value decides: text, number, boolean; ``:`` on an object looks at everything below it.

    ``field:""`` holds wherever the field has a value, as Google's own filters use it.
    """
    if tree.op is Op.HAS and not tree.value:
        return lambda value: value is not None
    by_text, by_number = _text_test(tree), _converted(tree, to_number)
    by_boolean = _converted(tree, to_boolean)

    def test(value: Any) -> bool:
        if isinstance(value, str):
            return by_text(value)
        if isinstance(value, bool):
            return by_boolean(value)
        if isinstance(value, int | float):
            return by_number(value)
        if isinstance(value, Mapping):
            return tree.op is Op.HAS and any(map(test, scalars(value)))
        return False

    return test
