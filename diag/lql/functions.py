"""A function as it is written -> what it means in the tree, or its refusal (the language's "Functions")."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_network
from zoneinfo import ZoneInfo

from diag.lql.convert import to_number
from diag.lql.fields import find_type
from diag.lql.lexer import Token
from diag.lql.regex import compile_extraction
from diag.lql.remedies import explain_field, nearest
from diag.lql.search import compile_query
from diag.model.filters import Call, Cast, CastType, Extract, Step

_RESOURCE = re.compile(r"(?:projects|folders|organizations|billingAccounts)/[^/\s]+")


@dataclass(frozen=True, slots=True)
class Value:
    """A field, and what is made of it; a condition only when it is compared."""

    path: tuple[str, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Zone:
    """``TIMEZONE("Europe/Berlin")``, an argument of ``cast``."""

    name: str


Made = Call | Value | Zone


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: a value or field as it was written, or what a function inside gave.

    Attributes:
        at: its first token.
        text: the value; of a field, its components joined by dots.
        path: the components, as of a field; empty for a string.
    """

    at: Token
    text: str = ""
    path: tuple[str, ...] = field(default=())
    made: Made | None = None


_Arguments = tuple[Argument, ...]


@dataclass(frozen=True, slots=True)
class _Signature:
    form: str
    counts: tuple[int, ...]
    build: Callable[[_Arguments], Made]


def build_function(name: Token, arguments: _Arguments) -> Made:
    """What ``name(arguments)`` means; raises `FilterError`."""
    signature = _SIGNATURES.get(name.text.lower())
    if signature is None:
        found = nearest(name.text, _SIGNATURES)
        hint = f"did you mean {_SIGNATURES[found].form}?" if found else f"there are {', '.join(_SIGNATURES)}"
        raise name.refuse("unknown function", hint=hint)
    if len(arguments) not in signature.counts:
        counts = " or ".join(map(str, signature.counts))
        plural = "" if signature.counts == (1,) else "s"
        raise name.refuse(f"{name.text} takes {counts} argument{plural}", hint=f"write {signature.form}")
    return signature.build(arguments)


def _log_id(arguments: _Arguments) -> Call:
    return Call("log_id", (_text(arguments[0]),))


def _source(arguments: _Arguments) -> Call:
    name = _text(arguments[0])
    if not _RESOURCE.fullmatch(name):
        raise arguments[0].at.refuse("no resource of logs", token=name, hint="write source(projects/ID)")
    return Call("source", (name,))


def _sample(arguments: _Arguments) -> Call:
    fraction = _text(arguments[1])
    number = to_number(fraction)
    if number is None or not 0 < number <= 1:
        hint = "write a number above 0 and no greater than 1"
        raise arguments[1].at.refuse("no fraction", token=fraction, hint=hint)
    return Call("sample", (fraction,), _field(arguments[0]))


def _ip_in_net(arguments: _Arguments) -> Call:
    subnet = _text(arguments[1])
    try:
        ip_network(subnet, strict=False)
    except ValueError as error:
        hint = 'write an address or range, "10.1.2.0/24"'
        raise arguments[1].at.refuse("no subnet", token=subnet, hint=hint) from error
    return Call("ip_in_net", (subnet,), _field(arguments[0]))


def _search(arguments: _Arguments) -> Call:
    query = arguments[-1]
    if query.path or query.made is not None:
        raise query.at.refuse("SEARCH takes a string", hint="put what is looked for in double quotes")
    try:
        compile_query(query.text)
    except ValueError as error:
        raise query.at.refuse(f"nothing to search for ({error})", hint='write SEARCH("one word")') from error
    return Call("search", (query.text,), _field(arguments[0]) if len(arguments) > 1 else ())


def _cast(arguments: _Arguments) -> Value:
    given = _text(arguments[1])
    if given.upper() not in CastType.__members__:
        hint = f"there are {', '.join(CastType)}"
        raise arguments[1].at.refuse("unknown type", token=given, hint=hint)
    zone = arguments[2].made if len(arguments) > 2 else Zone("")
    if not isinstance(zone, Zone):
        raise arguments[2].at.refuse("syntax error", hint='write TIMEZONE("Europe/Berlin")')
    value = _value(arguments[0])
    return Value(value.path, (*value.steps, Cast(CastType[given.upper()], zone.name)))


def _extract(arguments: _Arguments) -> Value:
    value, pattern = _value(arguments[0]), arguments[1]
    if pattern.path or pattern.made is not None:
        hint = "put the pattern in double quotes"
        raise pattern.at.refuse("a regular expression must stand in double quotes", hint=hint)
    try:
        compile_extraction(pattern.text)
    except ValueError as error:
        hint = "write one group: (...) around what is wanted"
        raise pattern.at.refuse(f"bad regular expression ({error})", hint=hint) from error
    return Value(value.path, (*value.steps, Extract(pattern.text)))


def _zone(arguments: _Arguments) -> Zone:
    name = _text(arguments[0])
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError) as error:
        hint = "write a name of the IANA time zones, Europe/Berlin"
        raise arguments[0].at.refuse("unknown time zone", token=name, hint=hint) from error
    return Zone(name)


def _text(argument: Argument) -> str:
    if argument.made is not None:
        raise argument.at.refuse("a function can not stand here", hint="write a value")
    return argument.text


def _value(argument: Argument) -> Value:
    return argument.made if isinstance(argument.made, Value) else Value(_field(argument))


def _field(argument: Argument) -> tuple[str, ...]:
    if not argument.path:
        raise argument.at.refuse("a field must stand here", hint="name it without quotes: jsonPayload.key")
    if find_type(argument.path) is None:
        hint = explain_field(argument.path)
        raise argument.at.refuse("no log entry has the field", token=argument.text, hint=hint)
    return argument.path


_SIGNATURES: Mapping[str, _Signature] = {
    "log_id": _Signature('log_id("stdout")', (1,), _log_id),
    "source": _Signature("source(projects/ID)", (1,), _source),
    "sample": _Signature("sample(insertId, 0.1)", (2,), _sample),
    "ip_in_net": _Signature('ip_in_net(jsonPayload.ip, "10.0.0.0/8")', (2,), _ip_in_net),
    "search": _Signature('SEARCH("words")', (1, 2), _search),
    "cast": _Signature("cast(jsonPayload.key, INT64)", (2, 3), _cast),
    "regexp_extract": _Signature('regexp_extract(jsonPayload.key, "n=(\\\\d+)")', (2,), _extract),
    "timezone": _Signature('TIMEZONE("Europe/Berlin")', (1,), _zone),
    "time_zone": _Signature('TIMEZONE("Europe/Berlin")', (1,), _zone),
}
