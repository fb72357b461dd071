"""A way to addresses that are good only somewhere else."""

from __future__ import annotations

from typing import Protocol


class Tunnel(Protocol):
    """Opens connections from a place where other names are known than here."""

    @property
    def name(self) -> str:
        """For a person: through what it leads."""
        ...

    async def open(self, host: str, port: int) -> int:
        """The descriptor of a connected stream socket, which is the caller's now.

        Raises `SourceError` with a hint where there is no way.
        """
        ...
