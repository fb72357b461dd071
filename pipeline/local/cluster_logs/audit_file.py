"""The audit log of the API server: a file of JSON lines that grows."""

from __future__ import annotations

from pathlib import Path

import orjson

from pipeline.local.cluster_logs.audit import Record

_BATCH_BYTES = 2 * 1024 * 1024


class AuditFile:
    """The file at `path`, read on from where it was left; it need not be there yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._position = 0

    def read(self) -> list[Record]:
        """What was written since the last call, some megabytes of whole lines at most.

        After the API server has turned to a new file, reading begins at its first line.
        """
        try:
            with self._path.open("rb") as file:
                if file.seek(0, 2) < self._position:
                    self._position = 0
                file.seek(self._position)
                whole, newline, _ = file.read(_BATCH_BYTES).rpartition(b"\n")
        except FileNotFoundError:
            return []
        self._position += len(whole + newline)
        return [orjson.loads(line) for line in whole.splitlines()]
