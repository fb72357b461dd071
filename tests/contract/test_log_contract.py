"""The services' log contract against diag's catalogue: what is written is understood."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.records import LogRecord
from diag.normalise import to_frame
from diag.session.events import to_events

ROOT = Path(__file__).parents[2]
MESSAGES = tomllib.loads((ROOT / "pipeline/wire/log_contract.toml").read_text("utf-8"))["message"]
IDS = {
    "session_id": "session_1753615601372_cz4gw0fl5",
    "connection_id": "ws_1753615602114220410",
    "turn_id": "turn_0a1b2c3d",
}
ROLES = {"session_id": "session", "connection_id": "connection", "turn_id": "turn"}


def line(message: dict) -> str:
    """A line as the service would write it."""
    fields = {
        name: IDS.get(name, name) for name in (*message.get("fields", ()), *message.get("optional", ()))
    }
    service = "orchestrator" if message["service"] == "*" else message["service"]
    head = {"time": "2025-07-27T11:26:41.372Z", "severity": message["severity"], "message": message["text"]}
    return json.dumps({**head, "service": service, **fields})


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: f"{message['service']} {message['name']}")
def test_every_line_of_the_contract_is_known_to_the_catalogue(message: dict) -> None:
    """With its service, level and IDs."""
    entry = to_entries(to_frame([LogRecord(line(message), "a.log:1")], load_catalogue()))[0]
    (event,) = to_events([entry], load_catalogue())

    assert event.name != "unknown"
    assert "fixed" in event.eras
    if message["service"] != "*":
        assert entry.service == message["service"]
    assert entry.level == message["severity"].lower()
    for name, text in IDS.items():
        if name in message.get("fields", ()):
            assert text in entry.ids_in(ROLES[name])


def test_what_the_catalogue_calls_fixed_is_in_the_contract() -> None:
    """No message is known that no service writes."""
    catalogue = load_catalogue()
    known = {
        (meaning.service, text)
        for text, meanings in catalogue.exact.items()
        for meaning in meanings
        if "fixed" in meaning.eras
    }
    written = {("" if m["service"] == "*" else m["service"], m["text"]) for m in MESSAGES}

    assert known == written
