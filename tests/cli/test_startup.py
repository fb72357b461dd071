"""Start-up is a feature: what may be imported when."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress

import pytest

HEAVY = ("polars", "google", "grpc", "kubernetes", "aiokafka", "jinja2", "orjson", "asyncio.events")


def imported(code: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return set(done.stdout.splitlines()[-1].split())


def test_the_help_needs_no_client_library_and_no_polars() -> None:
    """Nor anything of diag but its command line."""
    modules = imported("import diag.cli.program")

    assert not modules & set(HEAVY[:-1])
    assert not {name for name in modules if name.startswith(("diag.session", "diag.checks", "diag.sources"))}


@pytest.mark.parametrize("library", ["google", "grpc", "kubernetes", "aiokafka"])
def test_files_need_no_client_library(library: str) -> None:
    """Reading logs from files is the fast path."""
    assert library not in imported("import diag.app.session, diag.render.json_v1, diag.render.terminal")


INTERRUPTED_AT = """
import os, signal, sys
from diag.cli.main import main

class Interrupt:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupt())
sys.argv = ["diag", "lql", "check", "severity>=ERROR"]
main()
"""


@pytest.mark.parametrize("module", ["typer", "diag.cli.session", "diag.lql.parser"])
def test_ctrl_c_while_the_program_is_imported_is_one_line(module: str) -> None:
    """A start takes a third of a second, on a busy machine more: long enough for a second thought."""
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_AT.format(module=module)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "diag: interrupted; there is no result\n"


ENDING = """
import threading, time
from diag.cli import program
from diag.cli.main import main

def hang():
    threading.main_thread().join()
    print("ending", flush=True)
    time.sleep(60)

def run():
    threading.Thread(target=hang).start()
    return 12

program.run = run
main()
"""


def test_ctrl_c_at_the_very_end_is_silent_and_keeps_the_code() -> None:
    """A request that nobody waits for any more is still under way: the result was given."""
    with subprocess.Popen(
        [sys.executable, "-c", ENDING], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ending\n"

        out, err = press_until_it_ends(process)

    assert (process.returncode, out, err) == (12, "", "")


def press_until_it_ends(process: subprocess.Popen[str]) -> tuple[str, str]:
    """One that comes in the moment between Python's last look and its waiting is seen with the next one."""
    for _ in range(30):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=1)
    process.kill()
    return process.communicate()
