"""The header of a line of text: when it was written, how grave it is, who wrote it.

Python's logging, loguru and structlog, Go's log, zap and zerolog, log4j, Asterisk and FreeSWITCH, the access
lines of nginx, gunicorn and gin; klog and syslog. A line of which the catalogue knows the whole text, an
access line, keeps it. A time without an offset counts as UTC: containers have no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from diag.normalise.header import MONTHS, Header
from diag.normalise.levels import to_level
from diag.normalise.syslog import read_klog, read_rfc3164, read_rfc5424
from diag.normalise.timestamps import to_instant

_SHORT = "TRC|DBG|INF|WRN|ERR|FTL|PNC"
_LONG = "TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|CRITICAL|FATAL|D?PANIC|SUCCESS"
_LEVEL = f"(?P<level>{_LONG})"
_ANY_LEVEL = (
    f"(?P<level>{_LONG}|(?i:trace|debug|info|notice|warn(?:ing)?|error|crit(?:ical)?|fatal|alert|emerg))"
)
_NAME = r"[\w.-]+"
_DAY, _CLOCK = r"(?P<date>\d{4}[-/]\d\d[-/]\d\d)", r"(?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)"

_ISO = re.compile(
    rf"(?P<open>\[?){_DAY}(?: - |[T ]){_CLOCK}(?P<zone> ?(?:Z|UTC|[+-]\d\d:?\d\d))?\]?(?=[\s:|,-]|$)"
)
_ACCESS = re.compile(
    r".{0,200}?\[(?P<day>\d\d)/(?P<month>"
    + "|".join(MONTHS)
    + r")/(?P<year>\d{4})[: ](?P<clock>\d\d:\d\d:\d\d)(?: (?P<zone>[+-]\d{4}))?\] \""
)
_CHANNEL = re.compile(r"(?P<uuid>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}) (?=\d{4}-)")
_GIN = "[GIN] "
_RSYSLOG = re.compile(r"[a-z0-9][\w.-]* (?P<app>[\w./@-]+)\[\d+\]: ")
_LEVEL_FIRST = re.compile(
    rf"{_LEVEL} +(?:\[[^\]]*\] +)?{_DAY}[T ]{_CLOCK}(?P<zone>Z?)"
    rf"[ :|-]+(?:\[shard [^\]]*\] )?(?:{_NAME} - (?:[\w./-]+:\d+ - )?)?"
)
_BASIC = re.compile(rf"{_LEVEL}:{_NAME}:(?=\S)")
_SAYS_LEVEL = re.compile(rf"\[?{_LEVEL}(?:\]|:|(?= ))")

# Behind a time, most telling first: each ends where the words begin.
_BEHIND_TIME = tuple(
    re.compile(form)
    for form in (
        rf" - {_NAME} - {_LEVEL} - ",  # Python's own manual
        rf" \| {_LEVEL} +\| [\w.<>]+:[\w.<>]+:\d+ - ",  # loguru
        rf" +{_LEVEL} +\d+ --- \[[^\]]*\] \S+ *: ",  # Spring
        rf" +\[[^\]]{{1,60}}\] +{_LEVEL} +[\w.$-]+ +- ",  # log4j
        rf" +\[[^\]=]{{1,60}}\] +{_LEVEL} +(?=\S)",  # log4j with a context
        r" \d{1,3}\.\d\d% \[(?P<level>[A-Z]{3,8})\] (?:[\w.]+:\d+ )?",  # FreeSWITCH
        r" (?P<level>[A-Z]{4,8})\[\d+\](?:\[(?P<callid>C-[0-9a-f]{8})\])?:? [\w./-]+: ",  # Asterisk
        rf" {_LEVEL} in [\w.]+: ",  # Flask
        rf" +\[\d+\] \[{_ANY_LEVEL}\] ",  # gunicorn
        rf" \[{_ANY_LEVEL}\] \d+#\d+: (?:\*\d+ )?",  # nginx
        rf"\t{_ANY_LEVEL}\t(?:{_NAME}\t)?(?:[\w./@-]+:\d+\t)?",  # zap
        rf" \[{_ANY_LEVEL} *\] ",  # structlog
        rf" \[{_NAME}\] \[{_ANY_LEVEL}\] ",  # spdlog
        rf" (?P<level>{_SHORT}) (?:[\w./-]+:\d+ > )?",  # zerolog
        rf"[ |,-]+{_LEVEL} +(?:[|-] )?(?:{_NAME} - |\[{_NAME}\] |(?:__main__|root|[a-z_]\w*(?:\.\w+)+): ?)?",
        rf"[ |,-]+\[ *{_ANY_LEVEL} *\](?: \[{_NAME}\])?:? +(?:- )?",
        rf"[ |,-]+{_LEVEL}: (?! )",  # uvicorn's, with more blanks, stay: they are known as a whole
        r"[ |:-]+",
    )
)


def read_header(line: str, *, stamped: bool) -> Header | None:
    """What the logger wrote; None for a line that is nothing but words. `stamped`: a time stood before it."""
    for read in _READERS.get(line[:1], ()):
        if (found := read(line)) is not None:
            return found
    if stamped:
        return _read_stamped(line)
    level = _say_level(line)
    return Header(line, level=to_level(level)) if level else None


def _read_stamped(line: str) -> Header | None:
    """A line whose time was taken for a viewer's: it may have been the logger's own."""
    if (program := _RSYSLOG.match(line)) is not None:
        return Header(line[program.end() :], name=program["app"])
    found = _read_behind_time(line if line.startswith("\t") else f" {line}", None)
    return found if found.level else None


def _read_iso(line: str) -> Header | None:
    found = _ISO.match(line)
    time_ns = None if found is None else _to_time(found)
    if found is None or time_ns is None:
        return None
    rest = line[found.end() :]
    if found["open"] and rest.startswith(' "'):
        return Header(line, time_ns)  # an access line
    return _read_behind_time(rest, time_ns)


def _read_behind_time(rest: str, time_ns: int | None) -> Header:
    for form in _BEHIND_TIME:
        if (behind := form.match(rest)) is not None:
            said = {name: value for name, value in behind.groupdict().items() if value}
            named, words = said.pop("level", ""), rest[behind.end() :]
            level = to_level(named or _say_level(words))
            return Header(words, time_ns, level, has_pairs=bool(named), fields=said)
    return Header(rest.strip(), time_ns)


def _say_level(words: str) -> str:
    said = _SAYS_LEVEL.match(words)
    return "" if said is None else said["level"]


def _read_freeswitch(line: str) -> Header | None:
    """A line of one channel begins with that."""
    found = _CHANNEL.match(line)
    behind = None if found is None else _read_iso(line[found.end() :])
    return None if found is None or behind is None else behind._replace(fields={"uuid": found["uuid"]})


def _read_access(line: str) -> Header | None:
    if line.startswith(_GIN):
        at = _ISO.match(line, len(_GIN))
        return None if at is None else Header(line, _to_time(at))
    found = _ACCESS.match(line)
    if found is None:
        return None
    day = f"{found['year']}-{MONTHS[found['month']]:02d}-{found['day']}"
    return Header(line, to_instant(f"{day}T{found['clock']}{found['zone'] or ''}"))


def _read_level_first(line: str) -> Header | None:
    found = _LEVEL_FIRST.match(line)
    if found is not None:
        return Header(line[found.end() :], _to_time(found), to_level(found["level"]))
    basic = _BASIC.match(line)
    return None if basic is None else Header(line[basic.end() :], level=to_level(basic["level"]))


def _to_time(found: re.Match[str]) -> int | None:
    zone = (found["zone"] or "").strip()
    return to_instant(f"{found['date'].replace('/', '-')}T{found['clock']}{zone}")


_DIGITS = "0123456789"
_BY_START: tuple[tuple[str, Callable[[str], Header | None]], ...] = (
    (f"{_DIGITS}[", _read_iso),
    (f"{_DIGITS}abcdef", _read_freeswitch),
    (f"{_DIGITS}[:", _read_access),
    ("IWEF", read_klog),
    ("TDINWECFPS", _read_level_first),
    ("JFMASOND<", read_rfc3164),
    ("<", read_rfc5424),
)
_READERS = {
    first: tuple(read for starts, read in _BY_START if first in starts)
    for first in {first for starts, _ in _BY_START for first in starts}
}
"""The first character of a line -> the headers that begin with it."""
