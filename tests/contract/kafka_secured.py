"""One real broker with a listener of each kind of security, and the certificates for them.

| listener | protocol       | what it takes                                   |
|----------|----------------|-------------------------------------------------|
| open     | PLAINTEXT      | everybody                                       |
| login    | SASL_PLAINTEXT | PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER |
| scram    | SASL_SSL       | SCRAM-SHA-512                                   |
| tls      | SSL            | everybody                                       |
| mutual   | SSL            | who shows a certificate of our authority        |
| expired  | SSL            | nobody who looks at its certificate             |
| away     | PLAINTEXT      | everybody, and names a port where nobody is     |
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
import secrets
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.local.readiness import choose_ports
from tests.contract.kafka_broker import run_broker
from tests.contract.kafka_wire import ask, to_compact

LISTENERS = ("login", "scram", "tls", "mutual", "expired", "away")
USER, PASSWORD = "diag", 'päss "word" \\ ; #1'
NOBODY = 9
_DAY = dt.timedelta(days=1)
_JAAS = "org.apache.kafka.common.security"
_ITERATIONS = 4096
_ALTER_SCRAM = 51


@dataclass(frozen=True)
class Secured:
    """A running broker's addresses, and the files that its clients need."""

    open: str
    ports: dict[str, int]
    folder: Path

    def at(self, listener: str, host: str = "127.0.0.1") -> str:
        return f"{host}:{self.ports[listener]}"

    def file(self, name: str) -> str:
        return str(self.folder / name)


@asynccontextmanager
async def run_secured_broker(folder: Path) -> AsyncIterator[Secured]:
    make_certificates(folder)
    ports = dict(zip(LISTENERS, choose_ports(len(LISTENERS)), strict=True))
    async with run_broker(folder, lambda properties: _secure(properties, ports, folder)) as broker:
        await add_scram_user(broker.bootstrap, USER, PASSWORD)
        yield Secured(broker.bootstrap, ports, folder)


def _secure(properties: str, ports: dict[str, int], folder: Path) -> str:
    """The stack's own properties with our listeners beside its plain one."""
    ours = "".join(f",{name.upper()}://{{host}}:{port}" for name, port in ports.items())
    kinds = ",LOGIN:SASL_PLAINTEXT,SCRAM:SASL_SSL,TLS:SSL,MUTUAL:SSL,EXPIRED:SSL,AWAY:PLAINTEXT"
    named = ours.replace(f":{ports['away']}", f":{NOBODY}")
    added = {"listeners": ours, "advertised.listeners": named, "listener.security.protocol.map": kinds}
    lines = [line + added.get(line.partition("=")[0], "") for line in properties.splitlines()]
    login = "listener.name.login"
    lines += [
        f"{login}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
        f"{login}.plain.sasl.jaas.config={to_module('Plain', **{f'user_{USER}': PASSWORD})}",
        f"{login}.scram-sha-256.sasl.jaas.config={to_module('Scram')}",
        f"{login}.scram-sha-512.sasl.jaas.config={to_module('Scram')}",
        f"{login}.oauthbearer.sasl.jaas.config={to_module('OAuthBearer', unsecuredLoginStringClaim_sub='b')}",
        "listener.name.scram.sasl.enabled.mechanisms=SCRAM-SHA-512",
        f"listener.name.scram.scram-sha-512.sasl.jaas.config={to_module('Scram')}",
        *_store("scram", folder, "server"),
        *_store("tls", folder, "server"),
        *_store("mutual", folder, "server"),
        "listener.name.mutual.ssl.client.auth=required",
        "listener.name.mutual.ssl.truststore.type=PEM",
        f"listener.name.mutual.ssl.truststore.location={folder / 'ca.pem'}",
        *_store("expired", folder, "expired"),
    ]
    return "\n".join(lines) + "\n"


def to_module(kind: str, **options: str) -> str:
    """A login module as it stands in a properties file."""
    said = "".join(f' {name}="{_quote(value)}"' for name, value in options.items())
    module = f"{_JAAS}.{kind.lower()}.{kind}LoginModule required{said};"
    escaped = module.replace("\\", "\\\\")
    return "".join(one if one.isascii() else f"\\u{ord(one):04x}" for one in escaped)


def _quote(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _store(listener: str, folder: Path, name: str) -> tuple[str, str]:
    return (
        f"listener.name.{listener}.ssl.keystore.type=PEM",
        f"listener.name.{listener}.ssl.keystore.location={folder / name}.pem",
    )


def make_certificates(folder: Path) -> None:
    """``ca``, ``server`` (for 127.0.0.1 alone), ``expired``, ``client``, and ``stranger`` of nobody we know."""
    authority, other = _Authority("ours"), _Authority("theirs")
    authority.write(folder / "ca.pem")
    other.write(folder / "other-ca.pem")
    authority.sign(folder / "server.pem")
    authority.sign(folder / "expired.pem", age=3 * _DAY, lives=2 * _DAY)
    authority.sign(folder / "client.pem")
    other.sign(folder / "stranger.pem")


class _Authority:
    def __init__(self, name: str) -> None:
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (
            self._build(self.name, self.key, _DAY, 2 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self.key, hashes.SHA256())
        )

    def write(self, path: Path) -> None:
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def sign(self, path: Path, age: dt.timedelta = _DAY, lives: dt.timedelta = 2 * _DAY) -> None:
        """A key and its certificate, in one file."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, path.stem)])
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        built = self._build(subject, key, age, lives).add_extension(
            x509.SubjectAlternativeName([address]), critical=False
        )
        certificate = built.sign(self.key, hashes.SHA256())
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
            + certificate.public_bytes(serialization.Encoding.PEM)
        )

    def _build(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, age: dt.timedelta, lives: dt.timedelta
    ) -> x509.CertificateBuilder:
        begin = dt.datetime.now(dt.UTC) - age
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(begin + lives)
        )


async def add_scram_user(bootstrap: str, user: str, password: str) -> None:
    """AlterUserScramCredentials (KIP-554), which the library has not."""
    for mechanism, name in ((1, "sha256"), (2, "sha512")):
        salt = secrets.token_bytes(16)
        salted = hashlib.pbkdf2_hmac(name, password.encode(), salt, _ITERATIONS)
        numbers = struct.pack(">bi", mechanism, _ITERATIONS)
        row = to_compact(user.encode()) + numbers + to_compact(salt) + to_compact(salted) + b"\x00"
        answer = await ask(bootstrap, _ALTER_SCRAM, 0, b"\x01\x02" + row + b"\x00", flexible=True)
        # Behind tags, throttle time and the number of rows: user, error.
        (error,) = struct.unpack_from(">h", answer, 6 + 1 + len(user.encode()))
        assert error == 0, answer
