"""The cache as users meet it: the second run is free, and it can be done without."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_session import S
from tests.contract.logging_server import Server, lines, run_server


@pytest.fixture
def server() -> Iterator[Server]:
    with run_server() as server:
        server.write(lines(20))
        yield server


def words(server: Server) -> tuple[str, ...]:
    where = ("--project", "p", "--logging-endpoint", f"http://{server.address}", "-n", "voice")
    return ("session", S, *where, "--report", "none")


def test_the_second_run_says_what_came_from_the_cache(diag, server: Server, workdir: Path) -> None:
    """And costs no request; in the user's own cache folder, and nowhere else."""
    first = diag(*words(server))
    asked = len(server.filters)
    second = diag(*words(server))

    assert len(server.filters) == asked > 0
    assert second.returncode == first.returncode
    assert "0 requests" in second.stdout
    assert "from the cache" in second.stdout
    assert [one.name for one in workdir.iterdir()] == [".cache"]
    assert [one.name for one in (workdir / ".cache").iterdir()] == ["diag"]


@pytest.mark.parametrize("way", ["flag", "environment", "file"])
def test_it_can_be_done_without(diag, server: Server, workdir: Path, way: str) -> None:
    """For one run, for a shell, for a deployment."""
    flags, environment = ("--no-cache",) if way == "flag" else (), {}
    if way == "environment":
        environment = {"DIAG_CACHE_MAX_MB": "0"}
    if way == "file":
        (workdir / "diag.toml").write_text("[cache]\nmax_mb = 0\n")
    diag(*words(server), *flags, **environment)
    asked = len(server.filters)

    done = diag(*words(server), *flags, **environment)

    assert len(server.filters) == 2 * asked > 0
    assert "cache" not in done.stdout
    assert not (workdir / ".cache").exists()


def test_a_cache_that_others_may_write_to_is_named(diag, server: Server, workdir: Path) -> None:
    """It is not used; the answer is the same, and names no path of this machine."""
    (workdir / ".cache/diag").mkdir(parents=True)
    (workdir / ".cache/diag").chmod(0o777)

    done = diag(*words(server))

    assert "others may write to it" in " ".join(done.stdout.split())
    assert str(workdir) not in done.stdout
    assert list((workdir / ".cache/diag").iterdir()) == []
