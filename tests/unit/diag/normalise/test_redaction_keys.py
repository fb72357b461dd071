"""A key that promises a secret or a content is believed in every writing, also where the value has no end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.catalogue import load_catalogue
from diag.model.frames import to_entries
from diag.model.records import LogRecord
from diag.normalise import to_frame
from diag.normalise.redaction import redact_text

CATALOGUE = load_catalogue()
WRITINGS = [
    '{{"{key}":"{value}","x":1}}',
    '{{"{key}" : "{value}',
    '{{"raw":"{{\\"{key}\\":\\"{value}\\",\\"x\\":1}}"}}',
    'raw={{\\"{key}\\":\\"{value}',
    'raw={{\\\\\\"{key}\\\\\\":\\\\\\"{value}',
    "{{'{key}': '{value}', 'x': 1}}",
    "{{'{key}': '{value}",
    "{{'{key}': b'{value}'}}",
    "level=info {key}={value} x=1",
    'level=info {key}="{value}" x=1',
    "{key}: {value}",
    "{key}: {value}\nnext line",
    "refused {{{key}:{value} X:1}}",
    "map[{key}:[{value}] X:[1]]",
    '{{"{key}":["{value}","{value}"],"x":1}}',
    '{{"{key}":{{"of":"{value}"',
]


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize(
    "key", ["password", "token", "X-API-Key", "aws_secret_access_key", "clientSecret", "pwd"]
)
def test_secrets_are_gone_in_every_writing(writing: str, key: str) -> None:
    """Half lines, JSON in JSON, Python's repr, logfmt, headers, what Go prints."""
    assert "Zx9kQ" not in redact_text(writing.format(key=key, value="Zx9kQ"))


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize(
    "key", ["transcript", "finalTranscript", "Response", "user_utterance", "prompt", "caller_name"]
)
def test_what_was_said_is_gone_in_every_writing(writing: str, key: str) -> None:
    """To the last word."""
    shown = redact_text(writing.format(key=key, value="my heart hurts"), CATALOGUE.content_keys)

    assert "my" not in shown
    assert "hurts" not in shown
    assert "said, " in shown


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("Cookie: sid=deadbeef; theme=dark", "dark"),
        ("Set-Cookie: sid=deadbeef; Path=/", "deadbeef"),
        ('Authorization: Digest username="u", nonce="n0nce"', "n0nce"),
        ("curl -H 'Authorization: Token abcdef' x", "abcdef"),
        ("password: correct horse battery", "battery"),
        ("a=ice-pwd:x9cml/YzichV2+XlhiMu8g a=ice-ufrag:8hhY", "8hhY"),
        ("a=ice-pwd:x9cml/YzichV2+XlhiMu8g\r\na=setup:actpass", "XlhiMu8g"),
        ("candidate:1 1 udp 2113 203.0.113.7 5000 typ host ufrag EEtu network-id 1", "EEtu"),
        ("turn:turn.x:3478?transport=udp credential=turnCredZ1", "turnCredZ1"),
        ("GET /x?X-Goog-Signature=0a1b2c&X-Goog-Date=1", "0a1b2c"),
        ("GET /x?a=1&sig=0a%2Fb HTTP/1.1", "0a%2Fb"),
        ("GET /x?key=0a1b2c&x=1", "0a1b2c"),
        ("Endpoint=sb://x/;SharedAccessKeyName=n;SharedAccessKey=abc123=;E=x", "abc123"),
        ('PlainLoginModule required username="app" password="x y";', "x y"),
        ('{"password": 123456, "x": 1}', "123456"),
        ('{"phone": 491711234567', "491711234567"),
        ("caller: 4155552671", "4155552671"),
        ("from: 0171 2345678", "2345678"),
        ("from: 4155552671", "4155552671"),
        ("to=4917112345678 x=1", "4917112345678"),
        ("Address: 12 High Street, Leeds", "Leeds"),
        ("1password=hunter2", "hunter2"),
    ],
)
def test_values_after_telling_keys_are_gone(text: str, gone: str) -> None:
    """Headers go to the end of their line, a URL's values to the next ampersand."""
    assert gone not in redact_text(text)


@pytest.mark.parametrize("writing", WRITINGS)
@pytest.mark.parametrize("key", ["password", "Cookie", "transcript", "phone", "address", "stage"])
@pytest.mark.parametrize("value", ["my heart hurts", "0171 2345678", "203.0.113.7:5000", "42", "undefined"])
def test_redacting_a_line_twice_changes_nothing(writing: str, key: str, value: str) -> None:
    """A cache may hold what was redacted once."""
    once = redact_text(writing.format(key=key, value=value), CATALOGUE.content_keys)

    assert redact_text(once, CATALOGUE.content_keys) == once


@given(st.text(st.characters(exclude_characters="\"':=[{\\"), max_size=80), st.sampled_from(WRITINGS))
def test_nothing_before_a_key_hides_it(before: str, writing: str) -> None:
    """Any words, any letters, any control characters."""
    assert "Zx9kQ" not in redact_text(before + writing.format(key="password", value="Zx9kQ"))


def test_what_follows_a_value_stays() -> None:
    """A line does not disappear behind one secret."""
    half = '{"token":"abc","latency":3,"transcript":"my heart","stage":"stt","error":"EOF'

    shown = redact_text(half, CATALOGUE.content_keys)

    assert '"latency":3' in shown
    assert '"stage":"stt","error":"EOF' in shown


def test_half_a_json_line_shows_no_content() -> None:
    """As the file's last line has it, cut by a full disk; the ID in it is still found."""
    line = '{"msg":"STT completed","sessionID":"session_1753615601372_cz4gw0fl5","transcript":"my card is 4111","token":"abc'
    entry = to_entries(to_frame([LogRecord(line, "a.log:1")], CATALOGUE))[0]

    assert "my card" not in str(entry)
    assert '"abc' not in str(entry)
    assert entry.ids_in("text") == ("session_1753615601372_cz4gw0fl5",)


def test_a_content_has_one_pseudonym_parsed_or_not() -> None:
    """Equality of two texts is evidence."""
    parsed = to_entries(to_frame([LogRecord({"msg": "x", "transcript": "my heart"}, "a:1")], CATALOGUE))[0]

    assert parsed.field("transcript") in redact_text('{"transcript":"my heart","a', CATALOGUE.content_keys)
