"""Tree -> the known pitfalls in it, in words: what is legal, and rarely what was meant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from diag.lql.bounds import time_bounds
from diag.lql.evaluate import is_never_true
from diag.lql.fields import SEVERITIES, FieldType, find_type, is_indexed, type_of
from diag.lql.remedies import nearest
from diag.lql.surprises import find_surprises
from diag.lql.text import to_text
from diag.model.filter_report import Caution, Note
from diag.model.filters import And, Call, Cast, CastType, Comparison, Filter, Not, Op, Or, Words
from diag.model.instants import parse_instant

_FORMS = {
    FieldType.TIMESTAMP: 'write a time, "2026-11-23T08:00:00Z", or a date',
    FieldType.DURATION: 'write a length of time, "1.5s" or "20ms"',
    FieldType.INTEGER: "write a whole number",
    FieldType.NUMBER: "write a number",
    FieldType.BOOLEAN: "write true or false",
}
_ORDER = (Op.LT, Op.LE, Op.GT, Op.GE)


def find_notes(text: str, tree: Filter) -> tuple[Note, ...]:
    """Every note, each kind about each part once: first what the text says, then the whole."""
    notes = [*find_surprises(text), *_inside(tree), *_about_all(tree)]
    return tuple(dict.fromkeys(notes))


def _inside(tree: Filter) -> Iterator[Note]:
    match tree:
        case And(terms=terms):
            for term in terms:
                yield from _inside(term)
        case Or(terms=terms):
            yield from _value_after_or(terms)
            for before, term in zip((None, *terms), terms, strict=False):
                if not _follows_field(before, term):
                    yield from _inside(term)
        case Not(term=term):
            yield from (note for note in _inside(term) if note.caution is not Caution.SEVERITY)
        case Words():
            yield from _words(tree)
        case Comparison():
            yield from _comparison(tree)


def _value_after_or(terms: tuple[Filter, ...]) -> Iterator[Note]:
    """``insertId="A" OR "B"``: the documentation's own warning."""
    for before, term in pairwise(terms):
        if _follows_field(before, term) and isinstance(before, Comparison) and isinstance(term, Words):
            field = to_text(replace(before, value="", quoted=True)).removesuffix('""')
            yield Note(
                Caution.VALUE_AFTER_OR,
                to_text(term),
                "it is looked for in every field: the field before OR does not reach it",
                f"write {field}({to_text(Words(before.value))} OR {to_text(term)})",
            )


def _follows_field(before: Filter | None, term: Filter) -> bool:
    return isinstance(before, Comparison) and isinstance(term, Words)


def _words(tree: Words) -> Iterator[Note]:
    path = tuple(tree.text.split("."))
    if find_type(path) is not None:
        text = "it is looked for as a word: a field needs an operator"
        yield Note(
            Caution.FIELD_AS_WORD, to_text(tree), text, f"write {tree.text}:* if the field must be there"
        )
        return
    text = "every field of every entry is read for it, which is slow"
    yield Note(Caution.EVERY_FIELD, to_text(tree), text, f"name a field: jsonPayload.message:{to_text(tree)}")


def _comparison(tree: Comparison) -> Iterator[Note]:
    about = to_text(tree)
    if is_never_true(tree):
        text = "the value is none of the field's kind, so it never matches"
        if tree.op in (Op.MATCH, Op.NO_MATCH):
            text = "a pattern is looked for in texts, and the field is none, so it never matches"
        yield Note(Caution.NEVER_TRUE, about, text, _explain_kind(tree))
    elif tree.path == ("severity",) and not tree.steps:
        text = "on GKE it tells stdout from stderr where a logger sets none: lines are lost"
        yield Note(Caution.SEVERITY, about, text, "use the level in the payload, e.g. jsonPayload.level")
    if tree.op in (Op.NE, Op.NO_MATCH) and _can_miss(tree.path):
        positive = replace(tree, op=Op.EQ if tree.op is Op.NE else Op.MATCH)
        text = "entries without the field do not match, either"
        yield Note(Caution.MISSING_FIELD, about, text, f"write NOT {to_text(positive)} to keep them")
    if tree.path[0] == "labels" and len(tree.path) > 2:
        text = "labels are not nested: no label has a path of names"
        one = replace(tree, path=("labels", ".".join(tree.path[1:])))
        yield Note(Caution.NEVER_TRUE, about, text, f"write {to_text(one)}")
    yield from _spelling(tree, about)


def _explain_kind(tree: Comparison) -> str:
    """What a value of the field's type looks like."""
    if tree.op in (Op.MATCH, Op.NO_MATCH):
        as_text = replace(tree, steps=(*tree.steps, Cast(CastType.STRING)))
        return f"compare it with = or >=, or write {to_text(as_text)}"
    kind = type_of(tree)
    if kind is FieldType.SEVERITY:
        return f"write {nearest(tree.value, SEVERITIES) or 'one of ' + ', '.join(SEVERITIES)}"
    return _FORMS[kind]


def _spelling(tree: Comparison, about: str) -> Iterator[Note]:
    kind = type_of(tree)
    if tree.op in (Op.MATCH, Op.NO_MATCH) and "\b" in tree.value:
        text = r"\b in quotes is a backspace, not the end of a word"
        yield Note(Caution.QUOTE, about, text, r"write \\b")
    if tree.quoted and tree.value == "*" and tree.op is Op.HAS:
        yield Note(
            Caution.NO_WILDCARD,
            about,
            "it looks for an asterisk",
            "write :* without quotes if the field must be there",
        )
    elif tree.quoted and tree.value.endswith("*") and tree.op in (Op.EQ, Op.HAS):
        bare = Comparison(tree.path, Op.HAS, tree.value.rstrip("*"))
        yield Note(
            Caution.NO_WILDCARD,
            about,
            "* stands for itself, there are no wildcards",
            f"write {to_text(bare)}",
        )
    if tree.quoted and tree.value == "NULL_VALUE":
        yield Note(
            Caution.NEVER_TRUE, about, "in quotes it is a text, not null", "write NULL_VALUE without quotes"
        )
    if kind is FieldType.DYNAMIC and tree.op in _ORDER and parse_instant(tree.value) is not None:
        text = "a time in a payload is a text: it compares letter by letter, offsets included"
        yield Note(Caution.TEXT_ORDER, about, text, "use timestamp for the time of the entry")
    if tree.path == ("logName",) and tree.op is Op.EQ and "/" in tree.value.partition("/logs/")[2]:
        head, _, name = tree.value.partition("/logs/")
        encoded = Comparison(tree.path, tree.op, f"{head}/logs/{name.replace('/', '%2F')}")
        text = "a log's name has no / of its own: it stands there as %2F"
        yield Note(Caution.NEVER_TRUE, about, text, f"write {to_text(encoded)}")


def _can_miss(path: tuple[str, ...]) -> bool:
    return find_type(path) is FieldType.DYNAMIC


def _about_all(tree: Filter) -> Iterator[Note]:
    low, high = time_bounds(tree)
    if low is not None and high is not None and low > high:
        yield Note(Caution.NEVER_TRUE, "timestamp", "the window ends before it begins: nothing matches")
    if low is None:
        text = "there is no first time: all that is retained is searched"
        yield Note(Caution.NO_TIME, "", text, 'add timestamp>="2026-11-23T08:00:00Z"')
    if not _narrows(tree):
        text = "no condition uses an index: every entry of the window is read"
        yield Note(Caution.NOT_INDEXED, "", text, 'add resource.type="k8s_container" and one of its labels')


def _narrows(tree: Filter) -> bool:
    """Whether an index other than the time's can leave entries out."""
    match tree:
        case And(terms=terms):
            return any(map(_narrows, terms))
        case Or(terms=terms):
            return all(map(_narrows, terms))
        case Comparison(path=path, op=op, steps=steps):
            return is_indexed(path) and not steps and path != ("timestamp",) and op in (Op.EQ, *_ORDER)
        case Call(name=name):
            return name in ("log_id", "source")
    return False
