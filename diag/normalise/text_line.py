"""A line of text: what viewers and loggers wrote before the service's own words, and those.

What is JSON inside is read as JSON, what is pairs as pairs; before it may stand what somebody pasted (an
emoji, a bullet).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from diag.model.loose_json import load_json
from diag.normalise.draft import BARE, Draft
from diag.normalise.header import Header
from diag.normalise.headers import read_header
from diag.normalise.json_line import read_json_line
from diag.normalise.pairs import read_pairs, split_context, split_pairs
from diag.normalise.prefixes import read_prefix
from diag.normalise.timestamps import to_instant

_PASTED = re.compile(r"[^\x00-\x7f\s]*[\s>*•-]{0,8}(?=\{)")
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}[mK]")
_CONTINUES = re.compile(
    r"(?:\t| {2,})(?=\S)|Traceback \(most recent call last\):|Caused by: |goroutine \d+ \[|\.\.\. \d+ more$"
    r"|During handling of the above exception|The above exception was the direct cause"
    r"|[A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit)(?:: |$)"
)
"""A line of a stack trace: indented, or in the words of Python, Java or Go."""
_FINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:\d\d)")
_CLOSING_FIELDS = re.compile(r"(?:^|\t)(\{\".*\})$")


def read_text_line(line: str, outer: Draft = BARE) -> Draft:
    """The parts of one line, inside of what is known of it."""
    if "\x1b" in line:
        line = _COLOUR.sub("", line)
    around, rest = read_prefix(line, outer)
    start = _PASTED.match(rest) if "{" in rest else None
    if start is not None:
        return _read_json(rest, start.end(), around)
    if _CONTINUES.match(rest):
        return around.holding(rest.strip())._replace(continues=True)
    return _read_words(rest.strip(), around)


def _read_json(text: str, start: int, around: Draft) -> Draft:
    try:
        payload = load_json(text[start:])
    except ValueError:
        return around.holding(text.strip(), unparsed=True)
    return read_json_line(payload, _timed_by(payload, around))


def _timed_by(payload: Mapping[str, Any], around: Draft) -> Draft:
    """The agent of GKE gives an entry the ``time`` that its line names, and a line has one time on every way.

    Whole seconds tell less than the runtime's own stamp; to an entry of the log service all of it is done.
    """
    own = payload.get("time")
    if around.time_ns is None or around.insert_id or not isinstance(own, str) or not _FINE.fullmatch(own):
        return around
    return around._replace(time_ns=to_instant(own) or around.time_ns)


def _read_words(text: str, around: Draft) -> Draft:
    if "=" in text and (pairs := read_pairs(text)) is not None:
        return read_json_line(pairs, around)
    header = read_header(text, stamped=around.time_ns is not None)
    if header is None:
        return around.holding(text)
    within = around.holding(
        time_ns=header.time_ns, level=header.level, name_hints=(header.name,) if header.name else ()
    )
    return _read_message(header, within)._replace(clock=header.clock)


def _read_message(header: Header, around: Draft) -> Draft:
    """The words behind a header, and the fields that some loggers write before or behind them."""
    message, fields = header.message.strip(), dict(header.fields)
    if header.level and "=" in message:
        message, context = split_context(message)
        fields |= context
    fields_at = _CLOSING_FIELDS.search(message) if message.endswith("}") else None
    found = None if fields_at is None else _read_json(message, fields_at.start(1), around)
    if fields_at is not None and found is not None and not found.unparsed:
        words = message[: fields_at.start()].strip()
        found = found._replace(payload={**fields, **found.payload}) if fields else found
        return found._replace(message=words) if words else found
    if header.has_pairs and "=" in message:
        words, behind = split_pairs(message)
        if words:
            message, fields = words, fields | behind
    return around.holding(message, payload=fields)
