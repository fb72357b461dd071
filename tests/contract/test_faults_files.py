"""Every fault of a file, beside one that is all right: never a crash, never a false "nothing found".

What is left of the file is kept, the other one is read whole, and coverage says what is missing, why, and what to do.
"""

from __future__ import annotations

import asyncio
import fcntl
import gzip
import json
import os
import random
import struct
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from diag.app.request import SessionRequest
from diag.app.session import diagnose_session
from diag.errors import ExitCode
from diag.model.coverage import State
from diag.model.diagnosis import Diagnosis, NothingFound
from diag.model.findings import Status
from diag.model.settings import Settings
from tests.cases import START_NS
from tests.contract.control_plane import until
from tests.contract.fault_table import Answer, check_row, code_of, find_row, healthy, keeps

CASE = healthy()
LINES = [json.dumps(entry) + "\n" for entry in CASE.entries]
WHOLE = "".join(LINES).encode()
NOISE = "".join(f"line {random.Random(n).randbytes(1000).hex()}\n" for n in range(300)).encode()
"""So much that it has more than one block where it is packed."""
FILE = Path("bad.log")
NOW_NS = START_NS + 3600 * 10**9


@dataclass(frozen=True)
class Fault:
    """How a file is made, and what becomes of it.

    Attributes:
        words: of the line that says what happened; none: nothing is missing.
        kept: lines of the file that are there at least, where it is read alone.
        meanwhile: happens when it is about to be read.
    """

    name: str
    make: Callable[[Path], object]
    state: State = State.PARTIAL
    words: str = ""
    kept: int = 0
    meanwhile: Callable[[Path], object] = lambda _: None


def write(data: bytes) -> Callable[[Path], object]:
    return lambda path: path.write_bytes(data)


def make_folder(path: Path) -> None:
    """As somebody's log folder is: a log, and what lies beside logs."""
    path.mkdir()
    (path / "a.log").write_bytes(WHOLE)
    (path / "core").write_bytes(b"\x7fELF\x00\x00\x01")


def append(data: bytes) -> Callable[[Path], object]:
    def write_more(path: Path) -> None:
        with path.open("ab") as file:
            file.write(data)

    return write_more


HALF = LINES[-1].encode()[:60]
GZ, ZST = gzip.compress(WHOLE + NOISE), zstandard.compress(WHOLE + NOISE)
ALL = len(LINES)
FAULTS = [
    Fault("missing", lambda _: None, words="bad.log: no such file"),
    Fault("name of no file", lambda path: path.symlink_to(path), words="symbolic links"),
    Fault("unreadable", lambda path: path.symlink_to("/proc/self/mem"), words="Input/output error"),
    Fault("empty folder", lambda path: path.mkdir(), State.COMPLETE),
    Fault("folder", make_folder, State.COMPLETE, kept=ALL),
    Fault("folder of binaries", lambda p: (p.mkdir(), (p / "a").write_bytes(b"\x7fELF\x00\x00")), words="binary"),
    Fault("empty", write(b""), State.COMPLETE),
    Fault("binary", write(bytes(range(256)) * 40), words="a binary file, not logs"),
    Fault("other text", write(b"%PDF-1.4 is no log\n"), State.COMPLETE, kept=0),
    Fault("half a line", write(WHOLE + HALF), words="ends in the middle of an object", kept=ALL),
    Fault("half an array", write(json.dumps(CASE.entries).encode()[:-40]), words="ends in the middle", kept=ALL - 1),
    Fault("gzip, cut", write(GZ[: len(GZ) // 2]), words="broken gzip file", kept=ALL),
    Fault("gzip, only its head", write(GZ[:12]), words="broken gzip file"),
    Fault("zstd, cut", write(ZST[: len(ZST) // 2]), words="broken zstd file", kept=ALL),
    Fault("zstd, damaged", write(ZST[:40] + b"\xff" * 40 + ZST[80:]), words="broken zstd file"),
    Fault("gzip bomb", write(gzip.compress(b"\0" * (80 << 20))), words="unpacks to more than 64 MiB"),
    Fault("huge line", write(b'{"msg": "' + b"x" * (8 << 20) + b'"}\n' + WHOLE), State.COMPLETE, kept=ALL),
    Fault("bad UTF-8", write(WHOLE.replace(b"sessionID", b"sessionID\xff\xfe", 1)), State.COMPLETE, kept=ALL - 1),
    Fault("put together", write(b"".join(b"\xef\xbb\xbf" + one for one in WHOLE.splitlines(True))), State.COMPLETE, kept=ALL),
    Fault("UTF-16 appended", write(LINES[0].encode() + "".join(LINES[1:]).encode("utf-16-le")), State.COMPLETE, kept=ALL),
    Fault("UTF-32", write(WHOLE.decode().encode("utf-32")), State.COMPLETE, kept=ALL),
    Fault("NaN", write(WHOLE.replace(b'"jsonPayload": {', b'"jsonPayload": {"p": NaN, ')), State.COMPLETE, kept=ALL),
    Fault("half a character", write(WHOLE.replace(b'"jsonPayload": {', rb'"jsonPayload": {"p": "\ud83d", ')), State.COMPLETE, kept=ALL),
    Fault("words below an array", write(json.dumps(CASE.entries).encode() + b"\n\nUpdates are available.\n"), State.COMPLETE, kept=ALL),
    Fault("clock off", write(WHOLE.replace(b"2025-07-27", b"1970-01-01")), State.COMPLETE, kept=1),
    Fault("vanishes", write(WHOLE), words="no such file", meanwhile=lambda path: path.unlink()),
    Fault("grows", write(WHOLE), State.COMPLETE, kept=ALL, meanwhile=append(LINES[-1].encode())),
    Fault("grows by half a line", write(WHOLE), words="in the middle", kept=ALL, meanwhile=append(HALF)),
]  # fmt: skip


@pytest.fixture(params=FAULTS, ids=lambda fault: fault.name)
def fault(request: pytest.FixtureRequest, workdir: Path) -> Fault:
    """One of them; the good file is there, too."""
    Path("good.log").write_bytes(WHOLE)
    fault: Fault = request.param
    fault.make(FILE)
    return fault


async def ask(fault: Fault, *files: str) -> Answer:
    def progress(said: str) -> None:
        if said == f"reading {FILE}":
            fault.meanwhile(FILE)

    return await diagnose_session(
        SessionRequest(asked=CASE.asked, settings=Settings(), files=files, now_ns=NOW_NS, progress=progress)
    )


async def test_beside_a_good_file(fault: Fault) -> None:
    """The good one is read whole; the code tells that something is missing, and nothing else."""
    answer = await ask(fault, str(FILE), "good.log")

    assert keeps(answer, "files", ALL)
    check_row(answer, "files", fault.state, [fault.words] if fault.words else [])


async def test_alone(fault: Fault) -> None:
    """What is left of it is kept; where nothing is, nobody says that there is no such session."""
    answer = await ask(fault, str(FILE))

    row = find_row(answer, "files")
    assert row.entries >= fault.kept
    if fault.state is State.COMPLETE:
        assert row.state is State.COMPLETE
        assert isinstance(answer, Diagnosis) is bool(fault.kept)
        if fault.kept == ALL:
            assert isinstance(answer, Diagnosis)
            assert answer.verdict.status is Status.HEALTHY, row.notes
        return
    assert any(fault.words in note for note in row.notes), row.notes
    assert row.state is (State.PARTIAL if fault.kept else State.FAILED)
    if isinstance(answer, NothingFound):
        assert code_of(answer) == (ExitCode.INCOMPLETE if fault.kept else ExitCode.SOURCE_FAILED)


async def test_a_pipe_that_nobody_ends_is_left_by_ctrl_c(workdir: Path) -> None:
    """What came through it is judged, together with the file before it, and is said to be a part."""
    Path("good.log").write_bytes(WHOLE)
    os.mkfifo(FILE)
    pipe = os.open(FILE, os.O_RDWR)
    reading = asyncio.Event()
    request = SessionRequest(
        asked=CASE.asked, settings=Settings(), files=("good.log", str(FILE)), now_ns=NOW_NS,
        progress=lambda said: reading.set() if said == f"reading {FILE}" else None,
    )  # fmt: skip
    asking = asyncio.create_task(diagnose_session(request))
    await reading.wait()
    os.write(pipe, LINES[-1].encode())
    await until(lambda: _is_read(pipe))
    os.write(pipe, b"\n")
    await until(lambda: _is_read(pipe))  # it has come back for more: what it took first is in its hands

    asking.cancel()
    answer = await asking
    os.close(pipe)

    assert keeps(answer, "files", ALL)
    assert find_row(answer, "files").state is State.PARTIAL
    assert "interrupted (Ctrl-C)" in find_row(answer, "files").notes
    assert code_of(answer) == ExitCode.INCOMPLETE


async def _is_read(pipe: int) -> bool:
    """Whether nothing of what was written waits any more."""
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0" * 4))[0] == 0
