"""The form of a catalogue file: which keys there are, and what each may hold.

One form serves the packaged files and a user's own (``docs/catalogue.md`` explains it)::

    [services.NAME]             side, aliases
    [services.NAME.messages]    "exact text" = { event, attributes, shows, level, attributed, same, code }
    [[services.NAME.patterns]]  shown, pattern, samples, event, ... as for messages
    [messages], [[patterns]]    the same for lines that any service writes
    [ids]                       role = keys
    [forms]                     role = regular expressions
    [contents]                  keys
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from typing import Any

from diag.catalogue.document import Document
from diag.catalogue.places import Path
from diag.model.canonical_events import EVENTS
from diag.model.catalogue import ATTRIBUTION, FORM_KINDS, ID_ROLES, LEVELS, SIDES, STAGES
from diag.model.catalogue_report import Problem

Found = Iterator[tuple[Path, Problem]]
_Check = Callable[[Document, Path, Any], Found]

_MOST_NAMED = 12
_ATTRIBUTIONS = ", ".join(f"{word}:..." if needs else word for word, needs in ATTRIBUTION.items())
_CODE = re.compile(r"(?!/)(?!(?:.*/)?\.\.?/)[^\s:\\]{1,300}:[A-Za-z_][\w.]{0,199}", re.ASCII)
_STAGE_STATES = ("idle", "waiting", "executing", "complete", "error")
_SLIP = 0.6
_SERVICE = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")


def check_form(document: Document) -> Found:
    """What is wrong in the file by itself, with the path of each problem."""
    if not document.table:
        yield (), Problem(document.name, 0, "it says nothing", "add [services.NAME]; see docs/catalogue.md")
    yield from _check_table(_TOP, (), document, (), document.table)


def nearest(word: str, known: Collection[str]) -> str:
    """``did you mean ...``, or all that is known where nothing is near."""
    near = get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]}?"
    return (
        f"known are {', '.join(known)}"
        if len(known) <= _MOST_NAMED
        else "docs/catalogue.md lists what is known"
    )


def _check_table(
    fields: Mapping[str, _Check], required: tuple[str, ...], document: Document, path: Path, value: Any
) -> Found:
    if not isinstance(value, dict):
        yield (
            path,
            document.problem(path, f"{_name(path)} must be a table", "give it keys of its own: { ... }"),
        )
        return
    for key, one in value.items():
        if key in fields:
            yield from fields[key](document, (*path, key), one)
        else:
            inner = (*path, key)
            yield inner, document.problem(inner, f"unknown key {key!r}", nearest(key, fields))
    for key in required:
        if key not in value:
            yield path, document.problem(path, f"{_name(path)} has no {key}", f"add {key} = ...")


def _check_each(check: _Check, document: Document, path: Path, value: Any) -> Found:
    """A table whose keys are free: services, messages, attributes."""
    if not isinstance(value, dict):
        yield path, document.problem(path, f"{_name(path)} must be a table", "give it keys of its own")
        return
    for key, one in value.items():
        if not key.strip():
            yield (*path, key), document.problem((*path, key), "an empty name", "give it a text")
        elif path == ("services",) and _SERVICE.fullmatch(key) is None:
            yield (
                (*path, key),
                document.problem(
                    (*path, key), f"service {key[:40]!r} is no name", "use letters, digits, dot, dash and _"
                ),
            )
        yield from check(document, (*path, key), one)


def _check_list(check: _Check, document: Document, path: Path, value: Any) -> Found:
    if not isinstance(value, list) or not value:
        yield (
            path,
            document.problem(path, f"{_name(path)} must be a list", "put it in [ ], with something in it"),
        )
        return
    for place, one in enumerate(value):
        yield from check(document, (*path, place), one)


def _is_text(document: Document, path: Path, value: Any) -> Found:
    if not isinstance(value, str) or not value.strip():
        yield path, document.problem(path, f"{_name(path)} must be a text", "put it in quotes, and not empty")


def _is_any_text(document: Document, path: Path, value: Any) -> Found:
    if not isinstance(value, str):
        yield path, document.problem(path, f"{_name(path)} must be a text", "put it in quotes")


def _is_one_of(what: str, known: Collection[str], document: Document, path: Path, value: Any) -> Found:
    if not isinstance(value, str) or value not in known:
        shown = value if isinstance(value, str) else _name(path)
        remedy = nearest(str(value), known)
        if what == "side":
            remedy = f"use one of {', '.join(known)}"
        yield path, document.problem(path, f"unknown {what} {shown!r}", remedy)


def _check_attributes(document: Document, path: Path, value: Any) -> Found:
    """Free, but for a stage's state and a slip in its name: neither would be found in any turn."""
    yield from _check_each(_is_any_text, document, path, value)
    stage = value.get("stage") if isinstance(value, dict) else None
    if not isinstance(stage, str):
        return
    if stage not in STAGES and get_close_matches(stage, STAGES, cutoff=_SLIP):
        yield from _is_one_of("stage", STAGES, document, (*path, "stage"), stage)
    if "state" in value:
        yield from _is_one_of("state", _STAGE_STATES, document, (*path, "state"), value["state"])


def _is_attribution(document: Document, path: Path, value: Any) -> Found:
    """``stage:llm``, ``before:EVENT``, ``pod``: a word, and what it needs behind a colon."""
    if not isinstance(value, str):
        yield path, document.problem(path, f"{_name(path)} must be a text", "put it in quotes")
        return
    word, colon, rest = value.partition(":")
    if word not in ATTRIBUTION:
        yield path, document.problem(path, f"unknown attribution {word!r}", f"use one of {_ATTRIBUTIONS}")
    elif bool(colon) != bool(ATTRIBUTION[word]):
        needed = f"{word}:... needs {ATTRIBUTION[word]}" if ATTRIBUTION[word] else f"{word!r} stands alone"
        yield (
            path,
            document.problem(path, f"{value!r} is no attribution: {needed}", f"use one of {_ATTRIBUTIONS}"),
        )
    elif ATTRIBUTION[word]:
        what = "stage" if word == "stage" else "event"
        yield from _is_one_of(what, STAGES if word == "stage" else EVENTS, document, path, rest)


def _is_code(document: Document, path: Path, value: Any) -> Found:
    """``services/orchestrator/delivery.py:Delivery.send``, within the repository."""
    if not isinstance(value, str) or _CODE.fullmatch(value) is None:
        yield (
            path,
            document.problem(
                path,
                f"{_name(path)} must name a function in a file",
                "write FILE:FUNCTION, the file from the repository's root on: server/main.go:handleOffer",
            ),
        )


def _is_regex(document: Document, path: Path, value: Any) -> Found:
    if not isinstance(value, str):
        yield path, document.problem(path, f"{_name(path)} must be a text", "put it in single quotes")
        return
    try:
        re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        at = f" at character {error.pos + 1}" if isinstance(error, re.error) and error.pos is not None else ""
        said = error.msg if isinstance(error, re.error) else "too large"
        yield (
            path,
            document.problem(
                path, f"bad regular expression{at}: {said}", "correct it; a plain character is escaped by \\"
            ),
        )


def _name(path: Path) -> str:
    """How a path is called in a sentence."""
    named = [part for part in path if isinstance(part, str)]
    if not named:
        return "the file"
    return f"this entry of {named[-1]!r}" if isinstance(path[-1], int) else repr(named[-1])


_texts = partial(_check_list, _is_text)
_row: Mapping[str, _Check] = {
    "event": partial(_is_one_of, "event", EVENTS),
    "eras": _is_any_text,
    "attributes": _check_attributes,
    "shows": _texts,
    "level": partial(_is_one_of, "level", LEVELS),
    "attributed": _is_attribution,
    "same": partial(_check_each, _is_text),
    "code": _is_code,
}
_pattern: Mapping[str, _Check] = {**_row, "shown": _is_text, "pattern": _is_regex, "samples": _texts}
_lines: Mapping[str, _Check] = {
    "messages": partial(_check_each, partial(_check_table, _row, ("event",))),
    "patterns": partial(
        _check_list, partial(_check_table, _pattern, ("shown", "pattern", "samples", "event"))
    ),
}
_service: Mapping[str, _Check] = {"side": partial(_is_one_of, "side", SIDES), "aliases": _texts, **_lines}
_TOP: Mapping[str, _Check] = {
    "services": partial(_check_each, partial(_check_table, _service, ())),
    **_lines,
    "ids": partial(_check_table, dict.fromkeys(ID_ROLES, _texts), ()),
    "forms": partial(_check_table, dict.fromkeys(FORM_KINDS, partial(_check_list, _is_regex)), ()),
    "contents": partial(_check_table, {"keys": _texts}, ("keys",)),
}
