"""An authorisation server for tests: it gives unsecured tokens to one client, and misbehaves by path."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

CLIENT, SECRET = "diag-client", "s3cret:+/ä"
_BASIC = "Basic " + base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.forms.append(form)  # type: ignore[attr-defined]
        if self.path == "/google":
            self._answer(200, b'{"access_token": "ya29.access", "expires_in": 3600}')
        elif self.path == "/redirect":
            self._answer(302, b"", Location=f"http://127.0.0.1:{self.server.server_port}/token")
        elif self.path == "/page":
            self._answer(200, b"<html>log in</html>")
        elif self.path == "/nothing":
            self._answer(200, b'{"token_type": "Bearer"}')
        elif self.path == "/odd":
            self._answer(200, json.dumps({"access_token": "a\x01host=x"}).encode())
        elif self.headers["Authorization"] != _BASIC or form["grant_type"] != ["client_credentials"]:
            self._answer(401, b'{"error": "invalid_client"}')
        else:
            age = 3600 if self.path == "/old" else 0
            token = {"access_token": unsecured_token(age), "token_type": "Bearer", "expires_in": 300}
            self._answer(200, json.dumps(token).encode())

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def unsecured_token(age_s: int = 0) -> str:
    """As Kafka's own validator for trials takes it (RFC 7519, section 6)."""
    now = time.time() - age_s
    parts = ({"alg": "none"}, {"sub": CLIENT, "iat": now - 5, "exp": now + 300, "scope": "kafka"})
    return ".".join(map(_encode, parts)) + "."


def _encode(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")


@contextmanager
def run_token_server() -> Iterator[tuple[str, list[dict[str, list[str]]]]]:
    """Its address without a path, and the forms that came in."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.forms = []  # type: ignore[attr-defined]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", server.forms  # type: ignore[attr-defined]
        finally:
            server.shutdown()
            thread.join()
