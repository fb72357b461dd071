"""The STT service as a process: its recogniser never outlives it, however it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest


def _children(pid: int) -> dict[int, str]:
    """The command lines of the children, by process."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found[int(child)] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
    return found


def _runs(pid: int) -> bool:
    """Whether the process is there, and not only its entry."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


async def _start(start_service):
    service = await start_service("stt", PORT="0")
    messages = []
    while "Model loaded" not in messages:
        messages.append(json.loads(await service.process.stdout.readline())["message"])
    (worker,) = (pid for pid, command in _children(service.process.pid).items() if "spawn_main" in command)
    return service, worker


async def test_a_signal_ends_service_and_recogniser(start_service, eventually) -> None:
    """In good order, with nothing on stderr."""
    service, worker = await _start(start_service)
    service.process.terminate()
    status, stdout, stderr = await service.end()

    assert (status, stderr) == (0, b"")
    assert json.loads(stdout.splitlines()[-1])["message"] == "Service stopped"
    await eventually(lambda: not _runs(worker))


async def test_a_killed_service_takes_its_recogniser_with_it(start_service, eventually) -> None:
    """The kernel sees to it: nobody else is left to."""
    service, worker = await _start(start_service)
    assert _runs(worker)
    service.process.kill()
    await service.end()

    await eventually(lambda: not _runs(worker))


@pytest.mark.parametrize("port", ["", "x"])
async def test_wrong_settings_are_one_line(start_service, port: str) -> None:
    """Status 2, and nothing on stdout."""
    status, stdout, stderr = await (await start_service("stt", PORT=port)).end()

    assert (status, stdout, stderr.count(b"\n")) == (2, b"", 1)
