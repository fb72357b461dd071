"""Log files of every kind that users have, told apart by content, never by name."""

from diag.sources.files.narrowed import NarrowedFiles
from diag.sources.files.parts import Part, PartReading
from diag.sources.files.reading import STDIN, FileReading
from diag.sources.files.source import Files, explain_error, show_name

__all__ = [
    "STDIN",
    "FileReading",
    "Files",
    "NarrowedFiles",
    "Part",
    "PartReading",
    "explain_error",
    "show_name",
]
