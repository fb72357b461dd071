"""The keys of one control plane, made for its one life: a certificate authority, a server, tokens' signer.

Elliptic curves throughout: they are made in a millisecond where RSA takes a second.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.local.readiness import LOOPBACK

_LIFETIME = timedelta(days=7)
_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Keys:
    """Where the keys are, in PEM.

    Attributes:
        authority: the certificate that clients trust.
        certificate: of every server of the control plane, for the loopback address.
        key: that of `certificate`.
        accounts: signs the tokens of service accounts.
        accounts_public: what such tokens are verified with.
    """

    authority: Path
    certificate: Path
    key: Path
    accounts: Path
    accounts_public: Path


def make_keys(folder: Path) -> Keys:
    """Make new keys in `folder`; what is secret can be read by its owner only.

    The authority's own key is not kept: nothing else will ever be signed with it.
    """
    folder.mkdir(parents=True, mode=0o700)
    keys = Keys(
        *(folder / name for name in ("ca.crt", "server.crt", "server.key", "accounts.key", "accounts.pub"))
    )
    authority, server, accounts = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    root = _sign(_name("control-plane"), authority, _name("control-plane"), authority)
    leaf = _sign(_name("server"), server, root.subject, authority)
    keys.authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    keys.certificate.write_bytes(leaf.public_bytes(serialization.Encoding.PEM))
    _write_private(keys.key, server)
    _write_private(keys.accounts, accounts)
    public = accounts.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keys.accounts_public.write_bytes(public)
    return keys


def _sign(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.Certificate:
    """A certificate: of an authority where it is its own issuer, else of a server on loopback."""
    now, is_authority = datetime.now(UTC), subject == issuer
    identifier = x509.SubjectKeyIdentifier.from_public_key
    address = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
    builder = (
        x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), address]), critical=False)
        .add_extension(identifier(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False
        )
    )
    return builder.sign(issuer_key, hashes.SHA256())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _write_private(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
