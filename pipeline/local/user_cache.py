"""The user's cache: what is fetched or built once, and by one process at a time.

``$XDG_CACHE_HOME/diag-pipeline/`` holds a folder for each part and version. What is there is complete:
everything is made beside its place and renamed. A lock file lets one process at a time make something;
the others wait and find it made.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_root() -> Path:
    """The cache of this user. A relative ``XDG_CACHE_HOME`` is ignored, as its specification asks."""
    home = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(home) if Path(home).is_absolute() else Path.home() / ".cache"
    return base / "diag-pipeline"


@contextmanager
def maker(root: Path) -> Iterator[Path]:
    """The right to make something in `root`, and an empty folder beside it to make it in."""
    root.parent.mkdir(parents=True, exist_ok=True)
    with root.with_name(f"{root.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        partial = root.with_name(f"{root.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)  # of a maker that was killed
        partial.mkdir()
        try:
            yield partial
        finally:
            shutil.rmtree(partial, ignore_errors=True)
