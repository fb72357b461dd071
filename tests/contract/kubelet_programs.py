"""Programs that the tests' containers run: started without site packages, so that they are quick."""

from __future__ import annotations

import os
import select
import signal
import socket
import socketserver
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


def server() -> None:
    """Answers 200 with its name as long as the file that a request's path names is not there."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            fails = Path(os.environ["STATE_DIR"], self.path.strip("/")).is_file()
            body = os.environ.get("POD_NAME", "").encode()
            self.send_response(503 if fails else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Quiet."""

    print("serving as", os.getpid(), flush=True)
    HTTPServer((os.environ["HOST"], 8080), Handler).serve_forever()


def crash() -> None:
    """Ends badly."""
    print("about to crash", flush=True)
    sys.exit(3)


def lines() -> None:
    """Writes a line every tenth of a second, and ends well when the file ``end`` is there."""
    number = 0
    while not Path(os.environ["STATE_DIR"], "end").exists():
        print(f"line {number}", flush=True)
        number += 1
        time.sleep(0.1)
    Path(os.environ["STATE_DIR"], "end").unlink()
    print("the last line", flush=True)


def stubborn() -> None:
    """Says that it was asked to end, and goes on."""
    signal.signal(signal.SIGTERM, lambda *_: print("asked to end", flush=True))
    print("running", flush=True)
    while True:
        time.sleep(60)


def hungry() -> None:
    """Takes ever more memory."""
    taken = []
    while True:
        taken.append(os.urandom(1024 * 1024))
        time.sleep(0.01)


def task() -> None:
    """Does its work."""
    print(os.environ.get("GREETING", "done"), flush=True)


def relay() -> None:
    """Passes what comes to port 9092 on to ``TARGET``, ``host:port``."""
    target, _, port = os.environ["TARGET"].rpartition(":")

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with socket.create_connection((target, int(port))) as behind:
                ends = {self.request: behind, behind: self.request}
                while True:
                    for end in select.select(list(ends), [], [])[0]:
                        data = end.recv(65536)
                        if not data:
                            return
                        ends[end].sendall(data)

    with socketserver.ThreadingTCPServer((os.environ["HOST"], 9092), Handler) as relaying:
        relaying.daemon_threads = True
        relaying.serve_forever()


_PROGRAMS = (server, crash, lines, stubborn, hungry, task, relay)

if __name__ == "__main__":
    {program.__name__: program for program in _PROGRAMS}[sys.argv[1]]()
