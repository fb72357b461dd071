from __future__ import annotations

import time

import pytest

from pipeline.local import quiet
from pipeline.local.errors import StackError
from pipeline.local.quiet import LAG_S, wait_until_quiet


@pytest.fixture
def log(logging_server, entry):
    """`log(age_s, session_id)`: an entry of that age."""

    def write(age_s, session_id):
        at = time.time() - age_s
        logging_server.write(entry(at, f"{at}", json_payload={"session_id": session_id}))

    return write


async def ask(server, *session_ids):
    start = time.monotonic()
    await wait_until_quiet(server.endpoint, "test-project", session_ids)
    return time.monotonic() - start


async def test_old_entries_are_not_waited_for(logging_server, log):
    """Sessions that came to rest long ago are judged at once."""
    log(LAG_S + 5, "a")
    log(LAG_S + 1, "b")

    assert await ask(logging_server, "a", "b") < LAG_S / 2


async def test_the_last_entry_decides(logging_server, log):
    """The wait is as long as the youngest entry of the sessions is too young, no longer."""
    log(LAG_S + 5, "a")
    log(LAG_S - 1, "b")
    log(0, "of another session")

    assert 0.5 < await ask(logging_server, "a", "b") < LAG_S / 2


@pytest.mark.parametrize("age_s", [None, -3600.0])
async def test_sessions_that_never_rest_are_given_up(logging_server, log, monkeypatch, age_s):
    """No entry at all, or entries without end, are an error and no endless wait."""
    monkeypatch.setattr(quiet, "_DEADLINE_S", 0.6)
    if age_s is not None:
        log(age_s, "a")

    with pytest.raises(StackError, match="have not come to rest in the logs"):
        await ask(logging_server, "a")
