"""The switches over HTTP, on the server's own loopback address.

GET /switches      all of them, as a JSON object
PATCH /switches    a JSON object with those to change; all of them or, with 400 and the reason, none
"""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pipeline.local.cloud_logging.board import Switchboard

_PATH = "/switches"
_LONGEST = 65_536


class AdminServer(ThreadingHTTPServer):
    """The endpoint of one switchboard."""

    daemon_threads = True

    def __init__(self, host: str, port: int, board: Switchboard) -> None:
        self.board = board
        super().__init__((host, port), _Handler)


def start_admin(host: str, port: int, board: Switchboard) -> AdminServer:
    """The endpoint, serving in a thread until ``shutdown``; raises `OSError` if the port is taken."""
    server = AdminServer(host, port, board)
    threading.Thread(target=server.serve_forever, name="admin", daemon=True).start()
    return server


class _Handler(BaseHTTPRequestHandler):
    """Two methods on one path. A browser sends PATCH to no other origin without asking it first."""

    server: AdminServer
    timeout = 10

    def do_GET(self) -> None:
        self._answer({})

    def do_PATCH(self) -> None:
        try:
            self._answer(self._read_object())
        except ValueError as error:
            self._send(400, {"error": str(error)})

    def _answer(self, changes: dict[str, Any]) -> None:
        if self.path != _PATH:
            self._send(404, {"error": f"there is only {_PATH}"})
        else:
            self._send(200, self.server.board.change(changes))

    def _read_object(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit() and int(length) <= _LONGEST):
            raise ValueError(f"Content-Length must be given, and at most {_LONGEST}")
        content = json.loads(self.rfile.read(int(length)))
        if isinstance(content, dict):
            return content
        raise ValueError("a JSON object of switches is wanted")

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        """Nothing: what is asked here is no event of the stack."""
