"""What a check or a reader needs stays: redaction that eats the evidence is as bad as a leak."""

from __future__ import annotations

import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.catalogue import load_catalogue
from diag.model.records import LogRecord
from diag.normalise import redact_text, to_frame
from tests.cases import DEFAULTS, to_entry

S, W, T = (DEFAULTS[name] for name in "SWT")

KEPT = (
    S,
    W,
    T,
    "test_session_1753615601372_cz4gw0fl5",
    "3f2c9a1e-5b7d-4e8f-9a0b-1c2d3e4f5a6b",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "media-server-6f46659ddf-n25zw",
    "gke-voice-default-pool-3f1c9a2b-p4zt",
    "projects/p/locations/europe-west1/clusters/voice",
    "voice-agent/media-server:v1.0.22",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "0x7ffd5e8c1a30",
    "2025-07-27T11:26:41.372Z",
    "2025-07-27 11:26:41,372",
    "1753615601372",
    "1753615602114220410",
    "offset=12345678901 partition=3 lag=42",
    "audio-in/0@12345678",
    "took 1.234567 s, 48000 Hz, 79 bytes, 0.57, -1, 1e-9",
    "context deadline exceeded (Client.Timeout exceeded while awaiting headers)",
    "dial tcp: lookup kafka on 127.0.0.1:53: no such host",
    "dial tcp kafka.voice.svc.cluster.local:9092: connect: connection refused",
    "[3] Unknown Topic Or Partition: the request is for a topic or partition that does not exist",
    "panic: runtime error: invalid memory address or nil pointer dereference",
    "goroutine 42 [running]: main.(*Server).handle(0xc000123456, {0x1, 0x2})",
    "at handle (/app/src/server.ts:120:17)",
    'File "/app/stt/service.py", line 88, in consume',
    "for i := range items { total += items[i].Count }",
    "token count 128 of 4096, max_tokens=512, tokens_per_second=31.5",
    "password policy changed; the key rotation is due; author: build",
    "GET /v1/models/whisper-large-v3 HTTP/1.1 200",
    "grpc status 14 UNAVAILABLE: 503",
    "wss://orchestrator:8080/ws?session_id=" + S,
    "a=rtpmap:111 opus/48000/2 a=ice-options:trickle a=setup:actpass",
    "exit code 137 (OOMKilled), restarts: 3, 512Mi, 250m",
    "kubelet Back-off restarting failed container",
    "5f4dcc3b5aa765d61d8327deb882cf99",
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0",
    "version 10.4.2.1, build 1.2.3-rc.4+5",
)


@pytest.mark.parametrize("text", KEPT)
def test_evidence_stays(text: str) -> None:
    """Alone, in a sentence, in quotes, in brackets, and in JSON inside a text."""
    for whole in (text, f"Failed: {text}", f"got '{text}' here", f"({text})", json.dumps({"detail": text})):
        assert redact_text(whole) == whole


ids = st.builds(
    "{}session_17{:011d}_{}".format,
    st.sampled_from(["", "test_"]),
    st.integers(0, 10**11 - 1),
    st.text(string.ascii_lowercase + string.digits, min_size=9, max_size=9),
)
connections = st.builds("ws_17{:017d}".format, st.integers(0, 10**17 - 1))
pods = st.builds(
    "{}-{}-{}".format,
    st.sampled_from(["media-server", "orchestrator", "stt-service"]),
    st.text("bcdfghjklmnpqrstvwxz2456789", min_size=8, max_size=10),
    st.text("bcdfghjklmnpqrstvwxz2456789", min_size=5, max_size=5),
)
uuids, traces = st.uuids().map(str), st.text("0123456789abcdef", min_size=32, max_size=32)
offsets = st.integers(0, 10**12).map("offset {}".format)


@given(st.one_of(ids, connections, pods, uuids, traces, offsets))
def test_names_of_every_form_stay(text: str) -> None:
    """Whatever digits chance gives them: none is taken for a number of a phone, a card or a bank."""
    for whole in (text, f"no socket for {text}: gone", f'{{"id": "{text}"}}'):
        assert redact_text(whole) == whole


@given(ids)
def test_an_id_is_found_wherever_it_stands(text: str) -> None:
    """In a key's value, a URL, an error, SDP and JSON in a text: beside what is replaced."""
    line = "00:01.000 media-server error Something failed :: n=1"
    entry = to_entry(line, 1)
    entry["jsonPayload"] |= {
        "sessionID": text,
        "url": f"https://user:hunter22@10.20.30.40/whip?session_id={text}&token=abcdef123456",
        "error": f"no connection for session: {text} of +491701234567",
        "inner": json.dumps({"session_id": text, "transcript": "call me back", "ip": "203.0.113.7"}),
        "sdp": f"v=0\r\no=- {text} 2 IN IP4 203.0.113.7\r\na=ice-pwd:abcdefabcdefabcdefabcdef\r\n",
    }
    (row,) = to_frame([LogRecord(entry)], load_catalogue()).to_dicts()

    fields = json.loads(row["fields"])
    assert all(text in str(fields[name]) for name in ("sessionID", "url", "error", "inner", "sdp"))
    assert text in {one["text"] for one in row["ids"]}


@given(st.ip_addresses(v=4).filter(lambda one: not one.is_loopback and not one.is_unspecified))
def test_a_pseudonym_is_the_same_in_every_place(address) -> None:
    """So a reader still sees that a message, a URL, SDP and nested JSON mean one address."""
    pseudonym = redact_text(str(address))
    places = (
        f"peer {address} left",
        f"https://{address}:8443/whip",
        f"a=candidate:1 1 udp 2130706431 {address} 50000 typ host",
        json.dumps({"inner": json.dumps({"ip": str(address)})}),
    )

    assert pseudonym.startswith("<ip ")
    assert all(redact_text(place) == place.replace(str(address), pseudonym) for place in places)
