"""Which Java there is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST_MAJOR = 17  # Kafka 4 brokers (kafka.apache.org, "Java versions")


@dataclass(frozen=True, slots=True)
class Java:
    """One Java runtime: the program, and a version like ``17.0.15``."""

    program: Path
    version: str

    @property
    def major(self) -> int:
        """``17`` of ``17.0.15``, ``8`` of ``1.8.0_392``."""
        first, _, rest = self.version.partition(".")
        return int(rest.partition(".")[0] if first == "1" else re.sub(r"\D.*", "", first))


def find_java() -> Java | None:
    """The Java that ``JAVA_HOME`` or else ``PATH`` names; None where there is none that works."""
    home = os.environ.get("JAVA_HOME")
    named = shutil.which("java", path=str(Path(home) / "bin")) if home else None
    program = named or shutil.which("java")
    if program is None:
        return None
    version = _read_release(Path(program)) or _ask(program)
    return Java(Path(program), version) if version else None


def _read_release(program: Path) -> str | None:
    """The version in the ``release`` file of the installation: no virtual machine need be started."""
    try:
        text = (program.resolve().parent.parent / "release").read_text("utf-8", "replace")
    except OSError:
        return None
    match = re.search(r'^JAVA_VERSION="(\d[^"]*)"', text, re.MULTILINE)
    return match[1] if match else None


def _ask(program: str) -> str | None:
    try:
        answer = subprocess.run(  # noqa: S603 - fixed arguments
            (program, "-version"), stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(rb'version "(\d[^"]*)"', answer.stderr)
    return match[1].decode() if match else None
