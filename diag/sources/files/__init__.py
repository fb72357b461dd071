"""Log files of every kind that users have, told apart by content, never by name."""

from diag.sources.files.source import Files

__all__ = ["Files"]
