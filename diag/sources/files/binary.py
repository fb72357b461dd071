"""What is no log at all: beside logs lie pictures, databases and dumps, too."""

from __future__ import annotations

import re

from diag.sources.files.archive import is_archive
from diag.sources.files.packed import is_packed

LOOK_AT = 8192
"""Bytes at the beginning of a file that tell what it is."""
WIDE_MARKS = {
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
"""How a text of wide characters begins; the longer ones first, since one begins with another."""
ZERO = b"\x00"

_TEXT = re.compile(rb"(?:\xef\xbb\xbf)?[\t\n\r\x1b -~][^\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]*")
_BEGINS = re.compile(rb"(?:\xef\xbb\xbf)?[\t\n\r\x1b -~]")
_WIDE = re.compile(rb"([\t\n\r -~])\x00")
_STEERING = bytes((*range(9), *range(0x0E, 0x1B), *range(0x1C, 0x20), 0x7F))
_BYTES_OF_TEXT = 32
"""For each that steers: a service may log a packet or a key as it is, and its other lines are a log."""


def is_binary(data: bytes) -> bool:
    """Whether a file, or one that begins so, is none of logs."""
    head = data[:LOOK_AT]
    known = is_packed(head) or is_archive(head) or head.startswith(tuple(WIDE_MARKS))
    return not known and strip_zeros(data) is None


def strip_zeros(data: bytes) -> bytes | None:
    """`data` without the zeros around it; None if it is no text.

    A machine that lost its power leaves them at the end of a log, and one that was cut while it was
    written has them at its beginning.
    """
    text = data.strip(ZERO)
    head = text[:LOOK_AT]
    if ZERO in head:
        return text if _is_mostly_text(head) else None
    if len(text) == len(data):
        return data
    return text if not text or _TEXT.fullmatch(text, 0, LOOK_AT) else None


def _is_mostly_text(head: bytes) -> bool:
    """A tenth of what is packed or compiled steers. A zero behind a letter is the letter's own, in UTF-16.

    That stands in a log without its mark where one program appended to what another one had begun.
    """
    narrow = _WIDE.sub(rb"\1", head)
    steering = len(narrow) - len(narrow.translate(None, _STEERING))
    return _BEGINS.match(narrow) is not None and steering <= max(1, len(narrow) // _BYTES_OF_TEXT)
