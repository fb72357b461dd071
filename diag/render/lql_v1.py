"""A filter's explanation for machines, version 1: fields are only ever added within it."""

from __future__ import annotations

from diag.model.filter_report import FilterReport, Problem
from diag.model.filters import And, Call, Cast, Comparison, Filter, Not, Or, Step, Words
from diag.model.instants import format_instant
from diag.render.json_v1 import SCHEMA_VERSION, Json, dump


def render_filter_json(report: FilterReport) -> str:
    """One object: ``tree`` or ``error`` is null."""
    return dump(
        {
            "schema_version": SCHEMA_VERSION,
            "filter": report.given,
            "spelt": report.spelt,
            "tree": None if report.tree is None else _tree(report.tree),
            "window": {"from": _instant(report.low_ns), "to": _instant(report.high_ns)},
            "notes": [
                {
                    "caution": note.caution.value,
                    "about": note.about,
                    "text": note.text,
                    "instead": note.instead,
                }
                for note in report.notes
            ],
            "error": None if report.problem is None else _problem(report.problem),
        }
    )


def _instant(ns: int | None) -> str | None:
    return None if ns is None else format_instant(ns)


def _problem(problem: Problem) -> Json:
    return {
        "text": problem.text,
        "line": problem.line,
        "column": problem.column,
        "token": problem.token,
        "instead": problem.instead,
    }


def _tree(tree: Filter) -> Json:
    match tree:
        case And(terms=terms):
            return {"all": [_tree(term) for term in terms]}
        case Or(terms=terms):
            return {"any": [_tree(term) for term in terms]}
        case Not(term=term):
            return {"not": _tree(term)}
        case Words(text=text):
            return {"words": text}
        case Call(name=name, arguments=arguments, path=path):
            return {"function": name, "arguments": list(arguments), "path": list(path)}
        case Comparison(path=path, op=op, value=value, quoted=quoted, steps=steps):
            shown = [_step(step) for step in steps]
            return {"path": list(path), "op": op.value, "value": value, "quoted": quoted, "steps": shown}


def _step(step: Step) -> Json:
    if isinstance(step, Cast):
        return {"cast": step.kind.value, "zone": step.zone}
    return {"extract": step.pattern}
