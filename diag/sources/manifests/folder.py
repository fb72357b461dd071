"""A folder of manifests -> the objects in it. Links are not followed; what is passed over is told."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from diag.errors import SourceError
from diag.model.manifests import Manifest, Manifests, NotRead
from diag.sources.manifests.kustomize import NAMES, Kustomization, apply_all, to_kustomization
from diag.sources.manifests.nodes import BadYamlError, Document, read_documents
from diag.sources.manifests.objects import to_manifests

MOST_FILES = 2_000
LARGEST_FILE = 1_000_000
MOST_OBJECTS = 20_000
_SUFFIXES = (".yaml", ".yml", ".json")
_CHART = "Chart.yaml"
_TEMPLATES = "templates"
_NO_TEMPLATE = "a Helm template, which is no YAML: render it (helm template) and name that folder"


def read_manifests(path: str, check: Callable[[], None] = lambda: None) -> Manifests:
    """All objects of the folder `path`, or of a single file; raises `SourceError` where it can not be read.

    `check` is called for each file; what it raises ends the reading.
    """
    root = Path(path)
    try:
        if root.is_dir():
            return _Reading(root, check).read(_list_files(root))
        if root.is_file():
            return _Reading(root.parent, check).read(iter([root]))
        what = "is no folder and no file" if root.exists() else "no such folder"
    except (OSError, ValueError) as error:
        what = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    raise SourceError(f"{path}: {what}", hint="check --manifests")


def _list_files(root: Path) -> Iterator[Path]:
    """Files by their names, folder by folder; hidden folders are left out."""
    for folder, folders, files in os.walk(root, onerror=_refuse(root)):
        folders[:] = sorted(one for one in folders if not one.startswith("."))
        yield from (
            Path(folder) / name for name in sorted(files) if name.endswith(_SUFFIXES) or name in NAMES
        )


def _refuse(root: Path) -> Callable[[OSError], None]:
    """The folder itself must be readable; one within it that is not is passed over by the walk."""

    def refuse(error: OSError) -> None:
        if error.filename == str(root):
            raise error

    return refuse


class _Reading:
    """One reading, growing file by file."""

    def __init__(self, root: Path, check: Callable[[], None]) -> None:
        self._root, self._check = root, check
        self._objects: list[Manifest] = []
        self._kustomizations: list[Kustomization] = []
        self._not_read: list[NotRead] = []
        self._doubled: list[NotRead] = []
        self._files = 0

    def read(self, paths: Iterator[Path]) -> Manifests:
        cut = ""
        for path in paths:
            self._check()
            if self._files >= MOST_FILES or len(self._objects) >= MOST_OBJECTS:
                cut = f"only the first {self._files} files were read"
                break
            self._read_file(path)
        if not self._files and not self._not_read:
            raise ValueError("holds no YAML file")
        return Manifests(
            objects=tuple(apply_all(self._objects, self._kustomizations)),
            files=self._files,
            not_read=tuple(self._not_read),
            doubled=tuple(self._doubled),
            cut=cut,
        )

    def _read_file(self, path: Path) -> None:
        name = os.fsencode(path.relative_to(self._root)).decode("utf-8", "backslashreplace")
        is_template = path.parent.name == _TEMPLATES and (path.parent.parent / _CHART).is_file()
        try:
            content = _read_bytes(path)
            self._files += 1
            for document in read_documents(content):
                self._take(document, name)
        except BadYamlError as error:
            templated = is_template or b"{{" in content
            self._not_read.append(NotRead(name, _NO_TEMPLATE if templated else str(error)))
        except OSError as error:
            self._not_read.append(NotRead(name, error.strerror or "can not be read"))

    def _take(self, document: Document, name: str) -> None:
        for key, line in document.doubled[:3]:
            told = f"the key {key[:60]!r} stands twice; the last counts"
            self._doubled.append(NotRead(f"{name}:{line}", told))
        if name.rpartition("/")[2] in NAMES:
            self._kustomizations.append(to_kustomization(document.root, name))
            return
        self._objects += to_manifests(document.root, name)


def _read_bytes(path: Path) -> bytes:
    """A file, which may be no link and no pipe; raises `OSError`."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "is no file")
        content = file.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise OSError(0, f"is larger than {LARGEST_FILE:,} bytes")
    return content
