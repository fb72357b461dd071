"""The reference system's log against diag's catalogue: every line of every era is understood."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from diag.catalogue import load_catalogue
from diag.model.events import Event
from diag.model.frames import to_entries
from diag.model.records import LogRecord
from diag.normalise import to_frame
from diag.session.events import UNKNOWN, to_events

LINES = tomllib.loads((Path(__file__).parents[1] / "vectors/messages.toml").read_text("utf-8"))
SERVICES = sorted(LINES)
STDERR = ("orchestrator", "logging-service", "stt-service", "llm-service", "tts-service")
PYTHON = ("stt-service", "llm-service", "tts-service")
ROLES = {
    "sessionID": "session",
    "session_id": "session",
    "mediaSessionID": "media",
    "frontendSessionID": "frontend",
    "connID": "connection",
    "connectionKey": "other",
    "storedSession": "other",
    "messageSession": "other",
    "storedSessionID": "other",
}
IDS = {
    "session": "session_1753615601372_cz4gw0fl5",
    "media": "session_1753590741399040_5cc15fe6",
    "frontend": "session_1753615601988_p07w2hhrk",
    "connection": "ws_1753615602114220410",
    "other": "session_1753615603999_zzzzzzzzz",
}


def to_log_entry(service: str, stream: str, **payload: Any) -> dict[str, Any]:
    """What GKE makes of a line: the severity is its stream's."""
    return {
        "logName": f"projects/p/logs/{stream}",
        "insertId": "a1",
        "timestamp": "2025-07-27T11:26:41.372Z",
        "severity": "ERROR" if stream == "stderr" else "INFO",
        "resource": {"type": "k8s_container", "labels": {"container_name": service, "pod_name": "p-1"}},
        **payload,
    }


def logged(service: str, level: str, keys: str, message: str) -> dict[str, Any]:
    """A line of a logger, in JSON."""
    stream = "stderr" if service in STDERR else "stdout"
    words = {"event" if service in PYTHON else "msg": message, "level": level}
    return to_log_entry(
        service, stream, jsonPayload={**words, **{key: IDS[ROLES[key]] for key in keys.split()}}
    )


def understand(entries: list[dict[str, Any]]) -> tuple[Event, ...]:
    """Each as diag reads it."""
    catalogue = load_catalogue()
    records = [LogRecord(entry) for entry in entries]
    return to_events(to_entries(to_frame(records, catalogue)), catalogue)


def faults(event: Event, service: str, level: str, eras: str, keys: str = "") -> Iterator[str]:
    """What diag did not understand of a line."""
    said = event.entry.message
    if event.name == UNKNOWN:
        yield f"unknown: {said}"
        return
    if (event.entry.service, event.level) != (service, level):
        yield f"{event.entry.service} {event.level}, not {service} {level}: {said}"
    if not event.eras >= set(eras):
        yield f"eras {sorted(event.eras)}, not {eras}: {said}"
    for key in keys.split():
        if IDS[ROLES[key]] not in event.entry.ids_in(ROLES[key]):
            yield f"no {ROLES[key]} under {key}: {said}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_message_of_the_reference_system_is_known(service: str) -> None:
    """With its service, its era, the IDs under their keys, and the level that its logger stated."""
    lines = LINES[service]["lines"]
    events = understand([logged(service, level, keys, text) for level, _, keys, text in lines])

    assert [
        fault
        for event, (level, eras, keys, _) in zip(events, lines, strict=True)
        for fault in faults(event, service, level, eras, keys)
    ] == []


@pytest.mark.parametrize("service", [name for name in SERVICES if "texts" in LINES[name]])
def test_every_line_of_text_is_known_and_its_stream_does_not_make_it_an_error(service: str) -> None:
    """Access lines, banners, panics: what counts is what the line says, not where it was printed."""
    lines = LINES[service]["texts"]
    events = understand([to_log_entry(service, stream, textPayload=text) for stream, _, _, text in lines])

    assert [
        fault
        for event, (_, level, eras, _) in zip(events, lines, strict=True)
        for fault in faults(event, service, level, eras)
    ] == []


@pytest.mark.parametrize("service", SERVICES)
def test_no_message_is_known_that_no_service_writes(service: str) -> None:
    """What the catalogue says of eras A to C stands in the vectors."""
    written = {text for *_, text in LINES[service]["lines"]}
    known = {
        text
        for text, meanings in load_catalogue().exact.items()
        for meaning in meanings
        if meaning.service == service and meaning.eras & {"A", "B", "C"}
    }

    assert known - written == set()


def test_a_shutdown_artefact_is_no_crash() -> None:
    """The orchestrator's WaitGroup panics while it stops; any other panic ends a process in service."""
    texts = ("panic: sync: negative WaitGroup counter", "panic: runtime error: integer divide by zero")
    entries = [to_log_entry("orchestrator", "stderr", textPayload=text) for text in texts]

    assert [event.name for event in understand(entries)] == ["proc.exit", "proc.panic"]


def test_an_access_line_gives_its_request_though_addresses_are_replaced() -> None:
    """Method, path and status; the query, where words to be spoken stand, is not shown."""
    texts = [text for row in LINES.values() for *_, text in row.get("texts", ()) if "HTTP/1.1" in text]
    requests = [
        dict(event.attributes)
        for event in understand([to_log_entry("tts-service", "stdout", textPayload=text) for text in texts])
    ]

    assert len(requests) >= 4
    assert all(one.keys() == {"method", "path", "status"} for one in requests)
    assert "good" not in json.dumps(requests)
