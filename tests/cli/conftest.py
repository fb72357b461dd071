"""The program as a process: what a user types, and what comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cases import read_case_file

CHECKOUT = Path(__file__).parents[2]
CHECKS = CHECKOUT / "tests/checks"
DIAG = Path(sys.executable).with_name("diag")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


def clean_environment(home: Path) -> dict[str, str]:
    """Nothing of the machine's but its commands; the code is this checkout's, wherever diag is installed."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "LANG": "C.UTF-8",
        "PYTHONPATH": str(CHECKOUT),
    }


@pytest.fixture
def diag(workdir: Path) -> Run:
    """Runs ``diag`` in an empty folder without any setting of the machine."""

    def run(
        *arguments: str, stdin: bytes | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        completed = subprocess.run(
            [str(DIAG), *arguments],
            cwd=workdir,
            input=stdin,
            capture_output=True,
            timeout=60,
            check=False,
            env={**clean_environment(workdir), **environment},
        )
        return subprocess.CompletedProcess(
            completed.args, completed.returncode, completed.stdout.decode(), completed.stderr.decode()
        )

    return run


@pytest.fixture
def logs(workdir: Path) -> Callable[[str], str]:
    """Writes the entries of a case as NDJSON into the folder and gives the file's name."""

    def write(case: str) -> str:
        entries = read_case_file(CHECKS / f"{case}.case").entries
        name = f"{case.replace('/', '-')}.ndjson"
        (workdir / name).write_text("".join(json.dumps(entry) + "\n" for entry in entries))
        return name

    return write
