"""A stand-in for an API server where the real one can not be made to misbehave: it says what it is told to say."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, bytes]
Query = dict[str, str]
CONTEXT = "gke_shop_europe-west1_voice"


@dataclass
class ApiServer:
    """Answers by path; what is not there is an empty list.

    Attributes:
        asked: path and query of every request, with its token.
    """

    port: int = 0
    answers: dict[str, Callable[[Query], Answer]] = field(default_factory=dict)
    otherwise: Callable[[Query], Answer] = lambda _: (200, b'{"items": []}')
    asked: list[tuple[str, Query, str]] = field(default_factory=list)

    def says(self, path: str, found: Any, status: int = 200) -> None:
        """An object, or a text as it is."""
        body = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.answers[path] = lambda _: (status, body)

    def lists(self, path: str, *items: Any) -> None:
        """A list of these objects."""
        self.says(path, {"items": list(items), "metadata": {}})

    def kubeconfig(self, path: Path, **user: Any) -> str:
        """Names this server; the user has a token unless something else is given."""
        config = {
            "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{self.port}"}}],
            "users": [{"name": "u", "user": user or {"token": "a-token"}}],
            "contexts": [{"name": CONTEXT, "context": {"cluster": "c", "user": "u", "namespace": "voice"}}],
            "current-context": CONTEXT,
        }
        path.write_text(json.dumps(config), "utf-8")
        return str(path)


@contextmanager
def run_api_server() -> Iterator[ApiServer]:
    """One that listens until the end of the block."""
    api = ApiServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            api.asked.append((parts.path, query, self.headers.get("authorization", "")))
            status, body = api.answers.get(parts.path, api.otherwise)(query)
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", f"http://127.0.0.1:{api.port}/elsewhere")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    api.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
