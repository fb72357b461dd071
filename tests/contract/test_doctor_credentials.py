"""``diag doctor`` and Google's credentials: a real key file, and a token service that does as it is told."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from diag.app.doctor import DoctorRequest, examine
from diag.model.checkup import Answer, Health, TerminalFacts
from diag.sources.cloud_logging import credentials

ACCOUNT = "diag@p.iam.gserviceaccount.com"
TOKEN = "ya29.very-secret"  # noqa: S105  it opens nothing
LOGIN = "renew the file that GOOGLE_APPLICATION_CREDENTIALS names; or unset it and gcloud auth application-default login"
Reply = tuple[int, dict[str, object] | str]
GRANTED: Reply = (200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})


@pytest.fixture(scope="module")
def key() -> str:
    """A private key of nobody."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.fixture
def tokens() -> Iterator[Callable[[Reply | None], str]]:
    """`tokens(reply)`: a token service that gives this reply, or none at all; gives its address."""
    running: list[ThreadingHTTPServer] = []
    over = threading.Event()

    def start(reply: Reply | None) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                if reply is None:
                    over.wait(30)
                    return
                body = reply[1] if isinstance(reply[1], str) else json.dumps(reply[1])
                self.send_response(reply[0])
                self.send_header("Content-Length", str(len(body.encode())))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return f"http://127.0.0.1:{server.server_port}/token"

    yield start
    over.set()
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.fixture
def ask(workdir: Path, key: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Answer]:
    """`ask(token_uri, within_s)`: what the doctor says of a service account's key that gets its tokens there."""

    def examine_with(token_uri: str, within_s: float = 60.0) -> Answer:
        monkeypatch.setattr(credentials, "_TIMEOUT_S", within_s)
        (workdir / "key.json").write_text(
            json.dumps(
                {
                    "type": "service_account", "project_id": "p", "client_email": ACCOUNT, "private_key_id": "1",
                    "private_key": key, "token_uri": token_uri,
                }
            )
        )  # fmt: skip
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(workdir / "key.json"))
        return examine_there()

    return examine_with


def examine_there() -> Answer:
    """With TLS, so that credentials are needed, and nobody at the other end."""
    flags = {"logging.project": "p", "logging.endpoint": "127.0.0.1:9"}
    checkup = examine(DoctorRequest(flags, {}, None, TerminalFacts(None, "utf-8", False), 10**18))
    answer = checkup.find("credentials")
    assert answer.state is Health.OK or checkup.find("log-entries").state is Health.NOT_ASKED
    return answer


def test_a_key_that_works_is_told_by_its_kind_and_account(ask, tokens, key: str) -> None:
    """And until when; never the token, nor anything of the key."""
    answer = ask(tokens(GRANTED))

    assert answer.state is Health.OK
    assert f"a service account's key ({ACCOUNT}), named by GOOGLE_APPLICATION_CREDENTIALS" in answer.evidence
    assert "token good until" in answer.evidence
    told = str(asdict(answer))
    assert TOKEN not in told
    assert not any(line in told for line in key.splitlines())


@pytest.mark.parametrize(
    ("reply", "words", "remedy"),
    [
        ((400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}), "invalid_grant: Token has been expired or revoked.", LOGIN),
        ((400, {"error": "invalid_grant", "error_description": "Invalid JWT: \x1b[31m check iat"}), "invalid_grant", LOGIN),
        ((200, {"unexpected": TOKEN}), "No access token in response", LOGIN),
        ((200, "<html>log in to the hotel's network</html>"), "something else than the token service", "proxy"),
        ((503, "busy"), "does not answer", "network"),
        (None, "does not answer", "network"),
    ],
    ids=["expired", "clock", "wrong data", "captive portal", "busy", "slow"],
)  # fmt: skip
def test_a_token_that_is_not_to_be_had_is_told_with_what_to_do(
    ask, tokens, reply: Reply | None, words: str, remedy: str
) -> None:
    """In one line, without what else the answer held; who waits for a network need not log in."""
    within_s = 0.5 if words == "does not answer" else 60.0
    answer = ask(tokens(reply), within_s)

    assert answer.state is Health.FAILED
    assert words in answer.evidence
    assert TOKEN not in answer.evidence
    assert remedy in answer.remedy


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"type": "service_account", "private_key": "hunter2"}'])
def test_a_file_that_holds_no_credentials_is_told(workdir, monkeypatch, text: str) -> None:
    """Nothing that stands in it is."""
    (workdir / "key.json").write_text(text)
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(workdir / "key.json"))
    answer = examine_there()

    assert answer.state is Health.FAILED
    assert "hunter2" not in str(asdict(answer))


def test_no_credentials_at_all_are_told_with_the_command_that_makes_some(workdir, monkeypatch) -> None:
    """The first thing that somebody new sees."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(workdir))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    answer = examine_there()

    assert answer.state is Health.FAILED
    assert answer.remedy == "gcloud auth application-default login"
