"""What can keep a caller from calling."""

from __future__ import annotations


class ConnectError(Exception):
    """The caller could not connect; the text is one line for the person at the terminal."""
