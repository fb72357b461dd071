"""Tree -> what is shown of it: groups in words, conditions with what they compare."""

from __future__ import annotations

from diag.lql.convert import to_number, to_severity
from diag.lql.evaluate import is_never_true
from diag.lql.fields import FieldType, is_indexed, type_of
from diag.lql.text import to_text
from diag.model.filter_report import Branch
from diag.model.filters import And, Call, Comparison, Filter, Not, Op, Or, Words
from diag.model.instants import format_instant, parse_instant

_CALLS = {
    "log_id": "the log of this name, in any project; indexed",
    "source": "what this resource itself wrote, without what is below it",
    "sample": "the same part of the entries every time, by a hash of the field",
    "ip_in_net": "the field holds an address or range inside of it",
    "search": "whole words in any case and order; in backquotes, a phrase",
}
_KINDS = {
    FieldType.INTEGER: "as whole numbers",
    FieldType.NUMBER: "as numbers",
    FieldType.BOOLEAN: "as true or false",
    FieldType.DURATION: "as lengths of time",
}


def describe(tree: Filter) -> Branch:
    """The tree with its conditions spelt and explained."""
    match tree:
        case And(terms=()):
            return Branch("everything")
        case And(terms=terms):
            return Branch("all of", inner=tuple(map(describe, terms)))
        case Or(terms=terms):
            return Branch("any of", inner=tuple(map(describe, terms)))
        case Not(term=term):
            return Branch("not", inner=(describe(term),))
        case Words():
            return Branch(to_text(tree), "anywhere in any field; not indexed")
        case Call(name=name):
            return Branch(to_text(tree), _CALLS[name])
        case Comparison():
            return Branch(to_text(tree), explain(tree))


def explain(tree: Comparison) -> str:
    """What one comparison compares, in words."""
    if is_never_true(tree):
        is_pattern = tree.op in (Op.MATCH, Op.NO_MATCH)
        return f"never true: {'the field is no text' if is_pattern else 'no value of this kind'}"
    indexed = is_indexed(tree.path) and not tree.steps and tree.op not in (Op.HAS, Op.MATCH, Op.NO_MATCH)
    return _meaning(tree) + ("; indexed" if indexed else "")


def _meaning(tree: Comparison) -> str:
    if tree.op is Op.HAS and tree.value == "*" and not tree.quoted:
        return "the entry has the field"
    if tree.op is Op.MATCH:
        return "the pattern is found; case counts"
    if tree.op is Op.NO_MATCH:
        return "there is a text, and no match in it; case counts"
    if tree.value == "NULL_VALUE" and not tree.quoted:
        return "the field is there, and null" if tree.op is Op.EQ else "the field is there, and not null"
    kind = type_of(tree)
    if kind is FieldType.TIMESTAMP:
        return f"as times: {_show_time(tree.value)}"
    if kind is FieldType.SEVERITY:
        return f"as severities: {to_severity(tree.value)}"
    if kind is FieldType.TEXT:
        return _text_meaning(tree.op)
    return _KINDS.get(kind) or _dynamic_meaning(tree)


def _show_time(value: str) -> str:
    instant = parse_instant(value)
    return value if instant is None else format_instant(instant).replace(".000000000Z", "Z")


def _text_meaning(op: Op) -> str:
    match op:
        case Op.HAS:
            return "part of the text, in any case"
        case Op.EQ | Op.NE:
            return "the whole text, in any case"
        case _:
            return "in the order of texts, in any case"


def _dynamic_meaning(tree: Comparison) -> str:
    """Below a payload the entry's own value decides."""
    if to_number(tree.value) is None or tree.path[0] == "labels" or tree.path[:2] == ("resource", "labels"):
        return _text_meaning(tree.op)
    return f"as numbers, or where the entry has a text: {_text_meaning(tree.op)}"
