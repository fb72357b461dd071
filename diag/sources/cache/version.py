"""What entries depend on beside the logs: when any of it changes, what was kept is not theirs any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

import diag

FORMAT = 1
"""Of the files: raised where older ones can not be read."""

_ROOMS = ("normalise", "model", "catalogue", "sources/cloud_logging")
_KINDS = (".py", ".toml")


def find_version(catalogue_files: Sequence[str]) -> str:
    """A digest of the code that understands and redacts a line, and of the catalogue.

    Nobody has to remember to raise a number when redaction learns something: its code is the number.
    Raises `OSError` where a catalogue file can not be read.
    """
    digest = blake2b(f"{FORMAT} {diag.__version__}".encode(), digest_size=16)
    for name, content in (*_read_code(), *_read_files(catalogue_files)):
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _read_code() -> Iterator[tuple[str, bytes]]:
    for room in _ROOMS:
        yield from _read_below(resources.files("diag").joinpath(room), room)


def _read_below(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for one in sorted(folder.iterdir(), key=lambda each: each.name):
        if one.is_dir():
            yield from _read_below(one, f"{name}/{one.name}")
        elif one.name.endswith(_KINDS):
            yield f"{name}/{one.name}", one.read_bytes()


def _read_files(names: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for place, name in enumerate(names):
        yield str(place), Path(name).read_bytes()
