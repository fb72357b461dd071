"""The one exception of the local stack."""

from __future__ import annotations


class StackError(Exception):
    """The stack cannot do what it was asked; the text is one line for the person at the terminal."""
