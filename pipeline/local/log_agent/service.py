"""The loop of the agent: read, build, send, and read on only when the server has taken it."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any, Protocol

from pipeline.local.cri import parse_line
from pipeline.local.log_agent.entry import LogFile, Node, build_entry, describe_file
from pipeline.local.log_agent.files import Batch, LogFiles
from pipeline.local.log_agent.sender import NotSentError

POLL_S = 0.2
FLUSH_S = 5.0
_LONGEST_RETRY_S = 2.0


class Sending(Protocol):
    """Where entries go: `Sender`, or a stand-in of it."""

    def send(self, entries: list[dict[str, Any]]) -> str | None:
        """Write `entries`; see `Sender.send`."""
        ...


class LogAgent:
    """Forwards the log files of one node."""

    def __init__(self, files: LogFiles, node: Node, sender: Sending) -> None:
        self._files = files
        self._node = node
        self._sender = sender
        self._retry_s = POLL_S

    def run(self, stop: threading.Event) -> None:
        """Forward until `stop` is set, then what is there still, at most `FLUSH_S` long."""
        while not stop.is_set():
            stop.wait(self._forward_or_wait())
        self._flush()

    def forward(self) -> bool:
        """Send one batch; whether there was any.

        Raises:
            NotSentError: it could not be sent, and will be read again.
        """
        batch = self._files.read()
        if not batch.lines:
            return False
        refused = self._sender.send(self._build(batch))
        if refused:
            _say(f"entries refused: {refused}")
        self._files.commit(batch)
        return True

    def _forward_or_wait(self) -> float:
        """Send one batch; how many seconds to wait before the next."""
        try:
            more = self.forward()
        except NotSentError as error:
            if self._retry_s == POLL_S:  # the first of this outage
                _say(f"entries not sent, trying again: {error}")
            self._retry_s = min(_LONGEST_RETRY_S, self._retry_s * 2)
            return self._retry_s
        self._retry_s = POLL_S
        return 0.0 if more else POLL_S

    def _flush(self) -> None:
        deadline = time.monotonic() + FLUSH_S
        while time.monotonic() < deadline:
            try:
                if not self.forward():
                    return
            except NotSentError:
                time.sleep(POLL_S)
        _say("stopped before the last entries were sent")

    def _build(self, batch: Batch) -> list[dict[str, Any]]:
        files: dict[Any, LogFile | None] = {path: describe_file(path, self._node) for path in batch.positions}
        entries = []
        for line in batch.lines:
            file, parsed = files[line.path], parse_line(line.content)
            entry = build_entry(file, line.offset, parsed) if file and parsed else None
            if entry is not None:
                entries.append(entry)
        return entries


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
