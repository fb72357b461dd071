"""Google's own library against an authorisation server of ours: no fake stands between it and diag's token."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from diag.errors import SourceError
from diag.model.settings import KafkaSettings
from diag.sources.kafka.google_token import fetch_google_token
from tests.contract.token_server import run_token_server

ACCOUNT = "diag@project.iam.gserviceaccount.com"


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service account's key, as application default credentials find it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = tmp_path / "key.json"
    fields = {
        "type": "service_account",
        "client_email": ACCOUNT,
        "private_key": pem.decode(),
        "private_key_id": "1",
    }
    path.write_text(json.dumps(fields))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(path))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    return path


def send_to(key_file: Path, address: str) -> None:
    fields = json.loads(key_file.read_text())
    key_file.write_text(json.dumps({**fields, "token_uri": address}))


def test_a_service_accounts_token_names_the_account_and_its_end(key_file: Path) -> None:
    """The access token goes to the broker within the form that it takes."""
    with run_token_server() as (address, forms):
        send_to(key_file, f"{address}/google")
        token = fetch_google_token(KafkaSettings(timeout_s=60.0))

    claims, access = (
        base64.urlsafe_b64decode(one + "=" * (-len(one) % 4)) for one in token.text.split(".")[1:]
    )
    assert forms[0]["grant_type"] == ["urn:ietf:params:oauth:grant-type:jwt-bearer"]
    assert access == b"ya29.access"
    assert json.loads(claims)["sub"] == ACCOUNT
    assert 3000 < json.loads(claims)["exp"] - time.time() <= 3601


def test_credentials_that_are_refused_are_a_failed_source(key_file: Path) -> None:
    """In one line, without anything of the key."""
    with run_token_server() as (address, _):
        send_to(key_file, f"{address}/token")
        with pytest.raises(SourceError, match="no usable Google credentials") as caught:
            fetch_google_token(KafkaSettings(timeout_s=60.0))

    assert "PRIVATE" not in f"{caught.value}"
