"""Tree -> text. Every value and every odd name is quoted, so no value can change the filter."""

from __future__ import annotations

import re

from diag.model.filters import And, Call, Comparison, Extract, Filter, Not, Op, Or, Words

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_RESOURCE = re.compile(r"[A-Za-z]+/[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_NEEDS_ESCAPE = re.compile(r'["\\\x00-\x1f\x7f]')


def quote(value: str) -> str:
    """`value` as a string of the language."""
    return f'"{_NEEDS_ESCAPE.sub(_escape, value)}"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPES.get(match[0]) or f"\\x{ord(match[0]):02x}"


def to_text(tree: Filter) -> str:
    """The filter that `tree` means; the top level's terms stand on lines of their own."""
    if isinstance(tree, And):
        return "\n".join(_inner(term) for term in tree.terms)
    return _inner(tree)


def _inner(tree: Filter) -> str:
    match tree:
        case And(terms=()) | Or(terms=()):
            # Neither constant has a form of its own: "everything" and "nothing" are spelt out.
            always = Comparison(("timestamp",), Op.HAS, "*", quoted=False)
            return _inner(always) if isinstance(tree, And) else f"(NOT {_inner(always)})"
        case And(terms=terms):
            return f"({' AND '.join(_inner(term) for term in terms)})"
        case Or(terms=terms):
            return f"({' OR '.join(_inner(term) for term in terms)})"
        case Not(term=term):
            return f"(NOT {_inner(term)})"
        case Words(text=text):
            return quote(text)
        case Call():
            return _call(tree)
        case Comparison(op=op, value=value, quoted=quoted):
            return f"{_compared(tree)}{op.value}{quote(value) if quoted else value}"


def _call(tree: Call) -> str:
    (argument,) = tree.arguments
    plain = tree.name == "sample" or (tree.name == "source" and _PLAIN_RESOURCE.fullmatch(argument))
    shown = argument if plain else quote(argument)
    name = tree.name.upper() if tree.name == "search" else tree.name
    return f"{name}({_path(tree.path)}, {shown})" if tree.path else f"{name}({shown})"


def _compared(tree: Comparison) -> str:
    """What stands before the operator."""
    text = _path(tree.path)
    for step in tree.steps:
        if isinstance(step, Extract):
            text = f"regexp_extract({text}, {quote(step.pattern)})"
        else:
            zone = f", TIMEZONE({quote(step.zone)})" if step.zone else ""
            text = f"cast({text}, {step.kind.value}{zone})"
    return text


def _path(path: tuple[str, ...]) -> str:
    return ".".join(map(_name, path))


def _name(component: str) -> str:
    return component if _PLAIN_NAME.fullmatch(component) else quote(component)
