"""Logins and TLS against a real broker: what gets in, and what is said of all that does not."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from diag.config import load_settings
from diag.errors import SourceError
from diag.model.secret import Secret
from diag.model.settings import KafkaSettings
from diag.model.window import Window
from diag.sources.kafka import read_broker, read_records, through
from tests.contract.kafka_secured import NOBODY, PASSWORD, USER, Secured, run_secured_broker, to_module
from tests.contract.token_server import CLIENT, SECRET, run_token_server

pytestmark = [pytest.mark.part("kafka"), pytest.mark.asyncio(loop_scope="module")]

CHECKOUT = Path(__file__).parents[2]
SCRAM: dict[str, Any] = {"mechanism": "SCRAM-SHA-512", "username": USER, "password": Secret(PASSWORD)}
PLAINTEXT_LOGIN = {**SCRAM, "security_protocol": "SASL_PLAINTEXT"}
WRONG = Secret("wr0ng-password")
S = "session_1753615601372_cz4gw0fl5"
LINE = f'{{"textPayload": "session {S} started", "timestamp": "2025-07-27T11:26:42Z"}}\n'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Secured]:
    """One broker for all: each of its listeners is secured in another way."""
    async with run_secured_broker(tmp_path_factory.mktemp("secured")) as running:
        yield running


def settings_of(broker: Secured, listener: str, **given: Any) -> KafkaSettings:
    """With the names of certificate files as paths."""
    files = {name: broker.file(value) for name, value in given.items() if name in ("ca_file", "cert_file")}
    return KafkaSettings(broker.at(listener), timeout_s=60.0, **{**given, **files})


def run_diag(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(Path(sys.executable).with_name("diag")), *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": str(CHECKOUT), **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("listener", "given"),
    [
        ("login", {**PLAINTEXT_LOGIN, "mechanism": "PLAIN"}),
        ("login", {**PLAINTEXT_LOGIN, "mechanism": "SCRAM-SHA-256"}),
        ("login", {**PLAINTEXT_LOGIN, "mechanism": "scram-sha-512"}),
        ("scram", {**SCRAM, "ca_file": "ca.pem"}),
        ("tls", {"ca_file": "ca.pem"}),
        ("mutual", {"ca_file": "ca.pem", "cert_file": "client.pem"}),
    ],
)
async def test_who_may_comes_in(broker: Secured, listener: str, given: dict[str, Any]) -> None:
    """A login or certificate is enough to mean TLS; without TLS it must be said."""
    facts = await read_broker(settings_of(broker, listener, **given), 0)

    assert facts.cluster_id


class TunnelTo:
    """Leads to one port of this machine, whatever is asked for."""

    name = "a tunnel"

    def __init__(self, port: int) -> None:
        self.port = port
        self.asked: set[str] = set()

    async def open(self, host: str, _port: int) -> int:
        self.asked.add(host)
        opened = await asyncio.to_thread(socket.create_connection, ("127.0.0.1", self.port))
        return opened.detach()


async def test_through_a_tunnel_tls_still_checks_the_name(broker: Secured) -> None:
    """Who else answers behind the tunnel than the broker that was named is not spoken to."""
    tunnel = TunnelTo(broker.ports["scram"])
    good, wrong = (
        KafkaSettings(f"{host}:1", timeout_s=10.0, ca_file=broker.file("ca.pem"), **SCRAM)
        for host in ("127.0.0.1", "broker.voice-agent.svc")
    )
    with through(tunnel):
        assert (await read_broker(good, 0)).cluster_id
        with pytest.raises(SourceError, match=r"a certificate that is not for broker\.voice-agent\.svc"):
            await read_broker(wrong, 0)

    assert tunnel.asked == {"127.0.0.1", "broker.voice-agent.svc"}


@pytest.mark.parametrize(
    ("listener", "given", "what"),
    [
        ("login", {**PLAINTEXT_LOGIN, "password": WRONG}, "does not accept this username and password (SCRAM-SHA-512)"),
        ("login", {**PLAINTEXT_LOGIN, "mechanism": "PLAIN", "password": WRONG}, "username and password (PLAIN)"),
        ("login", {**PLAINTEXT_LOGIN, "username": "nobody"}, "does not accept this username and password"),
        ("scram", {**SCRAM, "ca_file": "ca.pem", "mechanism": "PLAIN"}, "does not take PLAIN logins, but SCRAM-SHA-512"),
        ("login", {}, "wants a login (OAUTHBEARER, PLAIN, SCRAM-SHA-256, SCRAM-SHA-512)"),
        ("scram", {"ca_file": "ca.pem"}, "wants a login (SCRAM-SHA-512)"),
        ("tls", {**SCRAM, "ca_file": "ca.pem"}, "takes no login on this port"),
        ("login", {**SCRAM, "ca_file": "ca.pem"}, "speaks no TLS on this port"),
        ("tls", {}, "speaks TLS on this port"),
        ("mutual", {}, "speaks TLS on this port"),
        ("scram", PLAINTEXT_LOGIN, "speaks TLS on this port"),
        ("scram", SCRAM, "shows a certificate of an authority that is not known here"),
        ("tls", {"ca_file": "other-ca.pem"}, "shows a certificate of an authority that is not known here"),
        ("expired", {"ca_file": "ca.pem"}, "shows a certificate that has expired"),
        ("away", {}, f"names the broker 127.0.0.1:{NOBODY}, which refuses the connection"),
        ("mutual", {"ca_file": "ca.pem"}, "wants a client certificate"),
        ("mutual", {"ca_file": "ca.pem", "cert_file": "stranger.pem"}, "does not accept the client certificate"),
    ],
)  # fmt: skip
async def test_each_reason_is_told_from_the_others(
    broker: Secured, listener: str, given: dict[str, Any], what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In one line with a remedy, soon, without the password, and without a word of any library."""
    begin = time.monotonic()
    with pytest.raises(SourceError) as caught:
        await read_broker(settings_of(broker, listener, **given), 0)

    assert str(caught.value).startswith(f"Kafka at {broker.at(listener)} ")
    assert what in str(caught.value)
    assert caught.value.hint
    said = f"{caught.value!r} {caught.value.hint} {given!r}"
    assert not [secret for secret in (PASSWORD, WRONG.reveal()) if secret in said]
    assert time.monotonic() - begin < 30  # the library alone takes 40 s
    gc.collect()  # a future's error that nobody took is told when it goes
    assert not [one.message for one in caplog.records if one.levelno >= logging.WARNING]


async def test_no_records_are_claimed_of_a_broker_that_was_not_reached(broker: Secured) -> None:
    """The first server answers; with the records it is silence that must not look like nothing there."""
    with pytest.raises(SourceError, match="Kafka at "):
        await read_records(
            settings_of(broker, "away"), Window(0, 1), frozenset({S}), frozenset({"session_id"})
        )


async def test_a_name_that_the_certificate_has_not_is_no_broker_of_ours(broker: Secured) -> None:
    """The certificate is good for the address alone; the name is that of the same machine."""
    settings = KafkaSettings(broker.at("tls", "localhost"), ca_file=broker.file("ca.pem"))

    with pytest.raises(SourceError, match="shows a certificate that is not for localhost"):
        await read_broker(settings, 0)


async def test_of_several_servers_the_one_that_answers_is_believed(broker: Secured) -> None:
    """One that is down costs nothing where another lets us in, and explains nothing where another does not."""
    both = f"127.0.0.1:9,{broker.at('login')}"

    assert (await read_broker(KafkaSettings(both, **PLAINTEXT_LOGIN), 0)).cluster_id
    with pytest.raises(SourceError, match="does not accept this username and password"):
        await read_broker(KafkaSettings(both, **{**PLAINTEXT_LOGIN, "password": WRONG}), 0)


async def test_what_is_not_there_refuses_and_what_is_silent_ends_in_time(broker: Secured) -> None:
    """A port without a listener, a name without an address, a listener that says nothing."""

    async def wait_for_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(wait_for_end, "127.0.0.1", 0)
    silent = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    expected = (
        ("127.0.0.1:9", 60.0, "refuses the connection"),
        ("no-such-host.invalid:9092", 60.0, "has a name that is not known here"),
        (silent, 1.0, "does not answer in time"),
    )
    for bootstrap, timeout_s, what in expected:
        for protocol in ("PLAINTEXT", "SSL"):
            begin = time.monotonic()
            with pytest.raises(SourceError, match=what):
                await read_broker(
                    KafkaSettings(bootstrap, security_protocol=protocol, timeout_s=timeout_s), 0
                )
            assert time.monotonic() - begin < 20
    server.close()


async def test_a_clients_own_files_lead_to_the_same_broker(broker: Secured, tmp_path: Path) -> None:
    """Java's properties with a password of all that must be escaped, and a profile of rpk."""
    java, rpk = tmp_path / "client.properties", tmp_path / "rpk.yaml"
    java.write_text(
        f"bootstrap.servers={broker.at('scram')}\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n"
        f"sasl.jaas.config={to_module('Scram', username=USER, password=PASSWORD)}\n"
        f"ssl.truststore.type=PEM\nssl.truststore.location={broker.file('ca.pem')}\ngroup.id=x\n"
    )
    rpk.write_text(
        "version: 6\ncurrent_profile: other\nprofiles:\n- name: other\n- name: voice\n  kafka_api:\n"
        f"    brokers: ['{broker.at('mutual')}']\n    tls:\n      ca_file: {broker.file('ca.pem')}\n"
        f"      cert_file: {broker.file('client.pem')}\n      key_file: {broker.file('client.pem')}\n"
    )
    for flags in ({"kafka.config": str(java)}, {"kafka.config": str(rpk), "kafka.profile": "voice"}):
        assert (await read_broker(load_settings(flags, {}).kafka, 0)).cluster_id


async def test_every_command_goes_through_the_same_connection(broker: Secured, tmp_path: Path) -> None:
    """Topics are listed, a session's coverage tells what was read or why not, and no output has the password."""
    (tmp_path / "broker.properties").write_text(
        f"bootstrap.servers={broker.at('login')}\nsecurity.protocol=SASL_PLAINTEXT\n"
        f"sasl.mechanism=SCRAM-SHA-256\nsasl.username={USER}\n"
    )
    (tmp_path / "log.json").write_text(LINE)
    connection = ("--kafka-config", "broker.properties")
    commands = [("topics", *connection), ("session", S, "log.json", "-o", "json", *connection)]
    commands.append(("sessions", "log.json", "-o", "json", *connection))
    for arguments in commands:
        right, wrong = await asyncio.gather(
            *(
                asyncio.to_thread(run_diag, tmp_path, *arguments, DIAG_KAFKA_PASSWORD=password)
                for password in (PASSWORD, WRONG.reveal())
            )
        )
        for done, refused in ((right, False), (wrong, True)):
            said = done.stdout + done.stderr
            assert ("does not accept this username and password" in said) is refused, said
            assert PASSWORD not in said
            assert WRONG.reveal() not in said
        assert "Traceback" not in right.stderr + wrong.stderr
        assert right.stdout


OAUTH: dict[str, Any] = {
    "security_protocol": "SASL_PLAINTEXT",
    "mechanism": "OAUTHBEARER",
    "username": CLIENT,
    "password": Secret(SECRET),
}


async def test_a_token_of_an_endpoint_comes_in(
    broker: Secured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One token for all connections of a run, with the scope that was asked for, past any proxy."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    properties = tmp_path / "client.properties"
    with run_token_server() as (address, forms):
        properties.write_text(
            f"bootstrap.servers={broker.at('login')}\nsecurity.protocol=SASL_PLAINTEXT\n"
            f"sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url={address}/token\n"
            "sasl.login.callback.handler.class=org.apache.kafka.common.security.oauthbearer."
            "OAuthBearerLoginCallbackHandler\nsasl.jaas.config="
            f"{to_module('OAuthBearer', clientId=CLIENT, clientSecret=SECRET, scope='kafka')}\n"
        )
        settings = load_settings({"kafka.config": str(properties)}, {}).kafka
        for _ in range(2):
            assert (await read_broker(settings, 0)).cluster_id

    assert forms == [{"grant_type": ["client_credentials"], "scope": ["kafka"]}]


@pytest.mark.parametrize(
    ("path", "given", "what"),
    [
        ("/token", {"password": WRONG}, "refuses kafka.username and its secret (401: invalid_client)"),
        ("/redirect", {}, "redirects (302), which is not followed with a secret"),
        ("/page", {}, "did not answer with JSON"),
        ("/nothing", {}, "answered without an access_token"),
        ("/odd", {}, "is no token"),
        ("/old", {}, "does not accept the token (OAUTHBEARER)"),
    ],
)
async def test_a_token_that_is_not_given_or_not_taken_is_told(
    broker: Secured, path: str, given: dict[str, Any], what: str
) -> None:
    """By the endpoint, or by the broker: which of the two, and never the secret."""
    with run_token_server() as (address, _):
        settings = settings_of(broker, "login", **{**OAUTH, "oauth_endpoint": f"{address}{path}", **given})
        with pytest.raises(SourceError) as caught:
            await read_broker(settings, 0)

    assert what in str(caught.value)
    assert caught.value.hint
    assert SECRET not in f"{caught.value} {caught.value.hint}"


async def test_an_endpoint_that_is_not_there_is_told(broker: Secured) -> None:
    """Before the broker is asked."""
    settings = settings_of(broker, "login", **OAUTH, oauth_endpoint="http://127.0.0.1:9/token")

    with pytest.raises(SourceError, match=r"the token endpoint at 127\.0\.0\.1 refuses the connection"):
        await read_broker(settings, 0)
