"""Log files of every kind that users have, told apart by content, never by name."""

from diag.sources.files.source import Files, show_name

__all__ = ["Files", "show_name"]
