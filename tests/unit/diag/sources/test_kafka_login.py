"""Logins without a broker: what fits together, Google's token, and a broker that names one out of reach."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
import ssl
import struct
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import google.auth
import pytest
from google.auth.exceptions import DefaultCredentialsError

from diag.errors import SettingsError, SourceError
from diag.model.secret import Secret
from diag.model.settings import KafkaSettings
from diag.sources.kafka import read_broker
from diag.sources.kafka.google_token import fetch_google_token
from diag.sources.kafka.login import Login, make_login
from diag.sources.kafka.probe import find_reason
from diag.sources.kafka.reasons import Reason
from diag.sources.kafka.tokens import Token, Tokens

HIDDEN = "hunter2-hidden"
USER: dict[str, Any] = {"mechanism": "SCRAM-SHA-512", "username": "reader", "password": Secret(HIDDEN)}
OAUTH: dict[str, Any] = {"mechanism": "OAUTHBEARER", "username": "c", "password": Secret(HIDDEN)}


def settings(**given: Any) -> KafkaSettings:
    return KafkaSettings("broker:9093", **given)


@pytest.mark.parametrize(
    ("given", "protocol"),
    [
        ({}, "PLAINTEXT"),
        (USER, "SASL_SSL"),
        ({**USER, "security_protocol": "sasl_plaintext"}, "SASL_PLAINTEXT"),
        ({"security_protocol": "SSL"}, "SSL"),
        ({"mechanism": "OAUTHBEARER", "oauth_endpoint": "google"}, "SASL_SSL"),
        ({**OAUTH, "oauth_endpoint": "https://login.example/token"}, "SASL_SSL"),
    ],
)
def test_a_login_means_tls_unless_it_is_said_otherwise(given: dict[str, Any], protocol: str) -> None:
    """And TLS always means that certificate and name are checked."""
    login = make_login(settings(**given))

    assert login.protocol == protocol
    assert (login.tls is not None) is protocol.endswith("SSL")
    if login.tls is not None:
        assert (login.tls.check_hostname, login.tls.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert HIDDEN not in repr(login)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"security_protocol": "TLS"}, "must be one of PLAINTEXT, SSL, SASL_PLAINTEXT, SASL_SSL, not 'TLS'"),
        ({"mechanism": "MD5"}, "kafka.mechanism must be one of PLAIN"),
        ({"mechanism": "GSSAPI"}, "Kerberos"),
        ({"username": "u", "password": Secret(HIDDEN)}, "kafka.mechanism is missing"),
        ({"security_protocol": "SASL_SSL"}, "kafka.mechanism is missing"),
        ({"mechanism": "PLAIN", "username": "u"}, "PLAIN needs kafka.password (DIAG_KAFKA_PASSWORD"),
        ({"mechanism": "PLAIN", "password": Secret(HIDDEN)}, "PLAIN needs kafka.username"),
        ({"security_protocol": "PLAINTEXT", "ca_file": "ca.pem"}, "a certificate is named"),
        ({**USER, "security_protocol": "SASL_PLAINTEXT", "cert_file": "c.pem"}, "use SASL_SSL"),
        ({"ca_file": "gone.pem"}, "kafka.ca_file: gone.pem: No such file"),
        ({"ca_file": "junk"}, "no certificate can be read from it"),
        ({"cert_file": "junk"}, "no certificate with a key can be read from it"),
        ({"cert_file": "gone.pem"}, "kafka.cert_file: gone.pem: No such file"),
        ({"security_protocol": "SSL", "key_file": "k.pem"}, "kafka.key_file without kafka.cert_file"),
        (OAUTH, "OAUTHBEARER needs kafka.oauth_endpoint"),
        ({**OAUTH, "password": Secret(), "oauth_endpoint": "https://x"}, "OAUTHBEARER needs kafka.password"),
        ({**OAUTH, "oauth_endpoint": "http://login.example/token"}, "only an address of this machine"),
        ({**OAUTH, "oauth_endpoint": "http://[::1"}, "must be an https URL"),
        ({**OAUTH, "oauth_endpoint": "file:///etc/passwd"}, "must be an https URL"),
        (
            {"mechanism": "OAUTHBEARER", "oauth_endpoint": "google", "security_protocol": "SASL_PLAINTEXT"},
            "not sent without TLS",
        ),
    ],
)
def test_what_does_not_fit_together_is_refused_before_anything_is_sent(
    workdir: Path, given: dict[str, Any], words: str
) -> None:
    """In words that name the setting, and never a secret."""
    Path("junk").write_text(f"password={HIDDEN}")

    with pytest.raises(SettingsError) as caught:
        make_login(settings(**given))

    said = f"{caught.value} ({caught.value.hint})"
    assert words in said
    assert HIDDEN not in said


def test_an_encrypted_key_never_asks_the_terminal(workdir: Path) -> None:
    """Its password is a setting; without it the file is refused."""
    subprocess.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -keyout k.pem -out c.pem -days 2"
        f" -passout pass:{HIDDEN} -subj /CN=x".split(),
        check=True,
        capture_output=True,
        timeout=60,
    )
    given = {"cert_file": "c.pem", "key_file": "k.pem"}

    assert make_login(settings(**given, key_password=Secret(HIDDEN))).has_certificate
    for wrong in (Secret(), Secret("wrong")):
        with pytest.raises(SettingsError, match="no certificate with a key"):
            make_login(settings(**given, key_password=wrong))


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Default credentials of a machine, which know who they are after the first refresh."""
    made = SimpleNamespace(service_account_email="default", token=None, expiry=None, id_token=None)

    def refresh(_request: Any) -> None:
        made.token, made.expiry = "ya29.access", dt.datetime(2031, 1, 1)  # noqa: DTZ001  as Google's, naive
        made.service_account_email = made.known

    made.refresh, made.known = refresh, "diag@p.iam.gserviceaccount.com"
    monkeypatch.setattr(google.auth, "default", lambda scopes: (made, "project"))
    return made


def parts_of(token: Token) -> list[str]:
    return [base64.urlsafe_b64decode(one + "=" * (-len(one) % 4)).decode() for one in token.text.split(".")]


def test_googles_token_is_of_the_form_that_its_broker_takes(credentials: SimpleNamespace) -> None:
    """Header, claims and access token; the expiry is UTC wherever this machine stands."""
    token = fetch_google_token(settings())

    header, claims, access = parts_of(token)
    assert json.loads(header) == {"typ": "JWT", "alg": "GOOG_OAUTH2_TOKEN"}
    assert json.loads(claims) | {"iat": 0} == {
        "exp": 1924992000,
        "iss": "Google",
        "iat": 0,
        "scope": "kafka",
        "sub": "diag@p.iam.gserviceaccount.com",
    }
    assert (access, token.expires) == ("ya29.access", 1924992000.0)
    assert "ya29" not in repr(token)


def test_who_a_person_is_stands_in_the_id_token_or_in_the_settings(credentials: SimpleNamespace) -> None:
    """And where it stands nowhere, it is asked for."""
    credentials.known = None
    claims = base64.urlsafe_b64encode(b'{"email": "me@example.com"}').decode().rstrip("=")
    with pytest.raises(SourceError, match="do not say whose they are"):
        fetch_google_token(settings())

    credentials.id_token = f"h.{claims}.s"

    assert json.loads(parts_of(fetch_google_token(settings()))[1])["sub"] == "me@example.com"
    assert json.loads(parts_of(fetch_google_token(settings(username="you@x.y")))[1])["sub"] == "you@x.y"


def test_without_google_credentials_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Google's own text may quote a file."""

    def fail(**_: Any) -> None:
        raise DefaultCredentialsError(f"file says {HIDDEN}")

    monkeypatch.setattr(google.auth, "default", fail)

    with pytest.raises(SourceError, match="no usable Google credentials") as caught:
        fetch_google_token(settings())

    assert caught.value.hint == "gcloud auth application-default login"
    assert HIDDEN not in str(caught.value)


def test_google_is_imported_only_by_who_logs_in_there() -> None:
    """Start-up is a feature."""
    code = "import diag.sources.kafka, sys; print('google.auth' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )

    assert done.stdout.strip() == "False"


async def test_a_token_is_kept_until_shortly_before_it_expires() -> None:
    """A run with many connections asks once; one that outlives its token asks again."""
    given = iter((Token("first", time.time() + 30), Token("second", time.time() + 300)))
    tokens = Tokens(lambda: next(given))

    assert [await tokens.token() for _ in range(3)] == ["first", "second", "second"]


async def test_a_broker_that_is_named_and_not_reached_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As behind a port-forward: the first answers with a name that is good only inside of the cluster."""

    class Bootstrap:
        async def send(self, _request: Any) -> Any:
            return SimpleNamespace(brokers=[(1, "kafka-0.internal", 9092, None), (2, "\x1b[31m", 1, None)])

        def close(self) -> None:
            pass

    async def connect(host: str, *_: Any, **__: Any) -> Bootstrap:
        if host != "127.0.0.1":
            raise ConnectionRefusedError
        return Bootstrap()

    monkeypatch.setattr("diag.sources.kafka.probe.create_conn", connect)

    reason = await find_reason(("127.0.0.1:9092",), Login("PLAINTEXT"), 3.0)

    assert reason is not None
    assert reason == Reason(
        "answers, and names the broker kafka-0.internal:9092, which refuses the connection: nothing listens there",
        reason.remedy,
    )
    assert "advertised.listeners" in reason.remedy


@pytest.mark.parametrize(
    "challenge", [b"", b"i=1", b"x", b"r=,s=,i=x", b"r=other,s=YQ==,i=1", b"\xff", b"v=%%"]
)
async def test_a_broker_that_answers_a_login_with_rubbish_is_a_failed_source(challenge: bytes) -> None:
    """In one line and in time, whatever trips the library."""
    answers = {
        18: struct.pack(">hi", 0, 4) + b"".join(struct.pack(">hhh", key, 0, 1) for key in (3, 17, 18, 36)),
        17: struct.pack(">hi", 0, 1) + text_of(b"SCRAM-SHA-512"),
        36: struct.pack(">hh", 0, -1) + struct.pack(">i", len(challenge)) + challenge + struct.pack(">q", 0),
    }

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                (size,) = struct.unpack(">i", await reader.readexactly(4))
                key, _version, correlation = struct.unpack_from(">hhi", await reader.readexactly(size))
                body = struct.pack(">i", correlation) + answers.get(key, b"")
                writer.write(struct.pack(">i", len(body)) + body)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    bootstrap = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    given = KafkaSettings(bootstrap, **USER, security_protocol="SASL_PLAINTEXT", timeout_s=2.0)
    begin = time.monotonic()

    try:
        with pytest.raises(SourceError, match="Kafka at ") as caught:
            await read_broker(given, 0)
    finally:
        server.close()

    assert HIDDEN not in f"{caught.value} {caught.value.hint}"
    assert time.monotonic() - begin < 30


def text_of(raw: bytes) -> bytes:
    return struct.pack(">h", len(raw)) + raw
