"""Log lines in a form that a person can write and read, for tests of what diag makes of them.

A case is a text file. Its head says what is asked and expected, its body is the log::

    # asks: $S
    # expects: found error confirmed
    # S = session_1753615601372_cz4gw0fl5

    00:00.000 media-server     info  Using session ID from header :: sessionID=$S
    00:00.600 orchestrator     info  WebSocket client connected :: connID=$W
    00:02.000 orchestrator/b   error Failed to consume audio :: error="fetching message: ..."

``orchestrator/b`` is another pod of the service. Values are JSON scalars where they can be. ``$S``, ``$B``,
``$W``, ``$X`` and ``$T`` have defaults. ``trace=...`` is put where GKE puts it. With ``# topics: audio-in audio-out=3``
there is a broker that has just these topics (``=3``: records ever written; ``=12..40``: the log begins at 12). It is
looked at an hour after the session's start, and knows the groups of the body::

    group  orchestrator-group-v2  audio-in/0=5 audio-in/1=-     committed 5 in partition 0, has partition 1
    group  media-server-group     audio-out                     a member that asked for the topic and got nothing
    00:02.000 record audio-in/0@5..7 :: sent=00:01.000          under the key $S, unless key= says else

Records are read if there is one, or with ``# records: none``; ``# gap: audio-in`` says that not all of a topic's were.
With ``# partial: why`` not all of the log was read.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from diag.app.attribution import attribute_lines
from diag.app.coverage import describe_coverage, hear
from diag.app.judging import judge_session
from diag.catalogue import load_catalogue
from diag.config import load_wanted_topics
from diag.model.coverage import SourceCoverage, State
from diag.model.diagnosis import Diagnosis, Query
from diag.model.identifiers import classify
from diag.model.instants import NS_PER_MS, NS_PER_S, format_instant
from diag.model.records import KafkaRecord, LogRecord
from diag.model.topics import BrokerFacts, GroupFacts, Member, TopicFacts
from diag.model.window import Window
from diag.normalise import join_frames, to_frame
from diag.session.reconstruct import Reading, reconstruct
from diag.session.select import EventFinder

START_NS = 1_753_615_601_372 * NS_PER_MS
"""When the default session was minted: 2025-07-27T11:26:41.372Z."""

DEFAULTS = {
    "S": "session_1753615601372_cz4gw0fl5",
    "B": "session_1753615601988_p07w2hhrk",
    "W": "ws_1753615602114220410",
    "X": "ws_1753615609114220999",
    "T": "4bf92f3577b34da6a3ce929d0e0e4736",
}
_PODS = {
    "media-server": "media-server-6f46659ddf-n25zw",
    "orchestrator": "orchestrator-5c9b7f6d84-q8wzn",
}
_LINE = re.compile(r"(\d\d):(\d\d)\.(\d{3})\s+([\w/-]+)\s+(\w+)\s+(.*?)(?:\s+::\s+(.*))?")
_RECORD = re.compile(r"(\d\d):(\d\d)\.(\d{3})\s+record\s+([\w-]+)/(\d+)@(\d+)(?:\.\.(\d+))?(?:\s+::\s+(.*))?")
_STDERR = ("orchestrator",)
_APART_NS = 20 * NS_PER_MS
_LOOKED_AT_NS = START_NS + 3600 * NS_PER_S


@dataclass(frozen=True)
class Case:
    """A case file, read."""

    head: Mapping[str, str]
    entries: tuple[dict[str, Any], ...]
    broker: BrokerFacts | None = None
    name: str = ""
    records: tuple[KafkaRecord, ...] | None = None

    @property
    def asked(self) -> str:
        """The ID that is asked for."""
        return self.head["asks"]


@dataclass
class _Counter:
    value: int = field(default=0)

    def next(self) -> int:
        self.value += 1
        return self.value


def read_case(text: str, name: str = "") -> Case:
    """The case that `text` describes."""
    names, head, lines = dict(DEFAULTS), {}, []
    for line in map(str.strip, text.splitlines()):
        definition = re.fullmatch(r"# ([A-Z]) = (.*)", line)
        statement = re.fullmatch(r"# (\w+): (.*)", line)
        if definition:
            names[definition[1]] = definition[2].strip()
        elif statement:
            head[statement[1]] = statement[2].strip()
        elif line.strip() and not line.startswith("#"):
            lines.append(line)
    counter, lines = _Counter(), [_fill(line, names) for line in lines]
    groups = [line for line in lines if line.startswith("group ")]
    records = [line for line in lines if _RECORD.fullmatch(line)]
    said = [line for line in lines if line not in groups and line not in records]
    return Case(
        head={k: _fill(v, names) for k, v in head.items()},
        entries=tuple(to_entry(line, counter.next()) for line in said),
        broker=_read_broker(head, groups),
        name=name,
        records=tuple(_read_records(records, names["S"])) if records or "records" in head else None,
    )


def read_case_file(path: Path) -> Case:
    """The case in a file."""
    return read_case(path.read_text("utf-8"), path.stem)


def _fill(text: str, names: Mapping[str, str]) -> str:
    return re.sub(r"\$([A-Z])\b", lambda match: names[match[1]], text)


def to_entry(line: str, number: int) -> dict[str, Any]:
    """One line of a case as the LogEntry that GKE would make of it."""
    match = _LINE.fullmatch(line.strip())
    if match is None:
        raise ValueError(f"not a line of a case: {line!r}")
    minutes, seconds, millis, where, level, message, rest = match.groups()
    at = _at(minutes, seconds, millis)
    service, _, other = where.partition("/")
    pod = _PODS.get(service, f"{service}-7d4b9c6f58-abcde")
    payload = dict(_pairs(rest or ""))
    trace = payload.pop("trace", None)
    stream = "stderr" if service in _STDERR else "stdout"
    entry: dict[str, Any] = {
        "logName": f"projects/p/logs/{stream}",
        "insertId": f"i{number:05d}",
        "timestamp": format_instant(at),
        "receiveTimestamp": format_instant(at + 3 * NS_PER_S),
        "severity": "ERROR" if stream == "stderr" else "INFO",
        "resource": {
            "type": "k8s_container",
            "labels": {
                "pod_name": f"{pod[: len(pod) - len(other)]}{other}",
                "container_name": service,
                "namespace_name": "voice",
            },
        },
        "labels": {"k8s-pod/app": service},
    }
    if level == "text":
        return {**entry, "textPayload": message}
    if trace:
        entry["trace"] = f"projects/p/traces/{trace}"
    return {**entry, "jsonPayload": {"level": level, "msg": message, **payload}}


def _pairs(text: str) -> Iterable[tuple[str, Any]]:
    for word in shlex.split(text):
        name, _, value = word.partition("=")
        yield name, value if value.startswith("{") else _scalar(value)


def _scalar(value: str) -> Any:
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        return value


def _read_broker(head: Mapping[str, str], groups: Iterable[str]) -> BrokerFacts | None:
    if "topics" not in head:
        return None
    topics = {}
    for word in head["topics"].split():
        name, _, written = word.partition("=")
        begin, _, end = written.rpartition("..")
        offsets = {0: (int(begin or 0), int(end or 0))}
        oldest = {0: START_NS - 86_400 * NS_PER_S} if end and not begin else {}
        topics[name] = TopicFacts(name, offsets, False, oldest, {"cleanup.policy": "delete"})
    return BrokerFacts("cluster", _LOOKED_AT_NS, topics, {one.name: one for one in map(_read_group, groups)})


def _read_group(line: str) -> GroupFacts:
    _, name, *words = line.split()
    committed: dict[str, dict[int, int]] = {}
    assigned: dict[str, tuple[int, ...]] = {}
    for word in words:
        place, _, offset = word.partition("=")
        topic, _, partition = place.partition("/")
        assigned.setdefault(topic, ())
        if partition:
            assigned[topic] = (*assigned[topic], int(partition))
        if offset.isdigit():
            committed.setdefault(topic, {})[int(partition)] = int(offset)
    member = Member("reader-of-" + name, frozenset(assigned), {k: v for k, v in assigned.items() if v})
    return GroupFacts(name, "Stable", (member,), True, committed)


def _read_records(lines: Iterable[str], key: str) -> Iterable[KafkaRecord]:
    for line in lines:
        minutes, seconds, millis, topic, partition, first, last, rest = _RECORD.fullmatch(line).groups()  # type: ignore[union-attr]
        at, values = _at(minutes, seconds, millis), dict(_pairs(rest or ""))
        sent = values.pop("sent", None)
        headers = [(name, str(value)) for name, value in values.items() if name != "key"]
        if sent:
            headers.append(("timestamp", str(_at(*re.split("[:.]", sent)))))
        for place, offset in enumerate(range(int(first), int(last or first) + 1)):
            yield KafkaRecord(
                topic,
                int(partition),
                offset,
                at + place * _APART_NS,
                str(values.get("key", key)),
                tuple(headers),
            )


def _at(minutes: str, seconds: str, millis: str) -> int:
    return START_NS + (int(minutes) * 60 + int(seconds)) * NS_PER_S + int(millis) * NS_PER_MS


def to_records(entries: Iterable[Mapping[str, Any]]) -> tuple[LogRecord, ...]:
    """Entries as a source would bring them."""
    return tuple(LogRecord(entry, f"case.json:{place}") for place, entry in enumerate(entries, 1))


def read(case: Case) -> tuple[pl.DataFrame, Reading]:
    """What is read of a case: all of it."""
    catalogue, wanted = load_catalogue(), load_wanted_topics()
    frame = join_frames([to_frame(to_records(case.entries), catalogue)])
    times = frame["time"]
    window = Window(times.min(), times.max() + 1)  # type: ignore[arg-type, operator]  # a case has times
    gaps = dict.fromkeys(case.head.get("gap", "").split(), "not all of its records were looked at")
    return frame, Reading(
        EventFinder(frame, catalogue), catalogue, window, None, case.records, case.broker, wanted, gaps
    )


def diagnose(case: Case) -> Diagnosis:
    """What diag makes of a case, by the same pure steps as in service."""
    frame, reading = read(case)
    window = reading.window
    assert window is not None
    session = reconstruct(classify(case.asked), reading)
    assert session is not None, f"no line mentions {case.asked}"
    state = State.PARTIAL if "partial" in case.head else State.COMPLETE
    coverage = describe_coverage(
        hear(frame), (SourceCoverage("files", state, "case", entries=frame.height),), window, None
    )
    collected_ns = window.end_ns if case.broker else None  # what the broker is now holds for a case
    query = Query(classify(case.asked), window, files=("case.json",), collected_ns=collected_ns)
    diagnosis = judge_session(query, session, reading, coverage)
    return attribute_lines(diagnosis, reading.finder)
