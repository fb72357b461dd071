"""Redaction must not eat the evidence: IDs, times, places, counts and what services are known to say."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from diag.catalogue import load_catalogue
from diag.normalise.redaction import redact_fields, redact_id, redact_text

CATALOGUE = load_catalogue()
VECTORS = Path(__file__).parents[3] / "vectors" / "identifiers.toml"
IDS = [row["text"] for row in tomllib.loads(VECTORS.read_text("utf-8"))["id"]]
SHOWN = [meaning.text for _, meaning in CATALOGUE.patterns]


@pytest.mark.parametrize("text", IDS)
def test_every_id_survives_wherever_it_stands(text: str) -> None:
    """Alone, under its key, under any key, in a sentence, in half a JSON line: links are made of it."""
    assert redact_id(text) == text
    assert redact_fields({"session_id": text}, frozenset(), frozenset({"session_id"})) == {"session_id": text}
    for template in (
        "{}",
        "connection not found for session: {}",
        "sessionID={} x=1",
        '{{"sessionID":"{}","a',
    ):
        line = template.format(text)
        assert redact_text(line, CATALOGUE.content_keys) == line


@pytest.mark.parametrize("text", [*CATALOGUE.exact, *SHOWN])
def test_every_message_of_the_catalogue_survives(text: str) -> None:
    """Events are found by the message that is left."""
    assert redact_text(text, CATALOGUE.content_keys) == text


@pytest.mark.parametrize(
    "text",
    [
        "orchestrator-5c9b7f6d84-q8wzn@2025-07-27T11:26:41.372000000Z#1a2b3c4d5e6f7",
        "audio-in/0@12345678901 from=10523441 to=10523999, lag 1234567",
        "from: 1753615601372 to: 1753615609372",
        "from: 415555267 to: 415555268",
        "from 2025-07-27 11:26:41 to 2025-07-27 12:26:41",
        "[GIN] 2025/07/28 - 06:39:39 | 200 | 1.2s | 127.0.0.1 | POST",
        "550e8400-e29b-41d4-a716-446655440000",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "packet 65535 of 1048576, ts 3735928559, ssrc 4294967295, 48000 Hz, seq 01234",
        "o=- 4611731400430051336 2 IN IP4 127.0.0.1",
        "listen tcp [::]:8001 and ::1, std::string",
        "sarama@v1.43.0/client.go:123 +0x1d, goroutine 12, at 0x7f0123456789",
        "00000000000012345678.log",
        "europe-west4-docker.pkg.dev/p/r/stt@sha256:" + "0123456789abcdef" * 4,
        "failed to decode STT response: invalid character 'I' looking for beginning of value",
        "cannot fetch token: 400 Bad Request",
        "Unexpected response: 503 Service Unavailable",
        "LLM response: context deadline exceeded",
        "utterance=3 speech_ms=1500 prompt_tokens=1024 transcript_length=12",
        "Kafka configuration - Host: kafka, Port: 9092, Address: kafka:9092",
        "secret_name=tts-voice token=undefined password=",
        '{"transcript":"","token":null,"confidence":0.9}',
        "caller=main.go:123 microphone=4812345678",
    ],
)
def test_what_tells_of_machines_stays(text: str) -> None:
    """Places, times, counts, and the causes that libraries name."""
    assert redact_text(text, CATALOGUE.content_keys) == text


def test_fields_that_checks_read_stay() -> None:
    """Numbers, states and topics are no contents, whatever their key contains."""
    fields = {
        "topic": "audio-in",
        "key": "session_1753615601372_cz4gw0fl5",
        "utterance": 3,
        "speech_ms": 1500,
        "prompt_tokens": 1024,
        "offset": 12345678901,
        "start_ns": 1753615602114220410,
        "message_type": "final_transcript",
        "error": "[3] Unknown Topic Or Partition: the request is for a topic or partition",
        "partitions": [0, 1],
        "isFinal": True,
        "remote_address": "127.0.0.1:8001",
        "bootstrap_address": "redpanda-0.redpanda:9092,redpanda-1.redpanda:9092",
    }

    assert redact_fields(fields, CATALOGUE.content_keys, frozenset(CATALOGUE.id_roles)) == fields
