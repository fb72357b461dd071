from __future__ import annotations

import json
import sys

import pytest

from pipeline.local import calls
from pipeline.local.calls import CallPlan, call_once, make_call, mint_browser_session_id
from pipeline.local.errors import StackError
from pipeline.local.state import StackState
from pipeline.wire.identifiers import check_session_id

STATE = StackState(
    supervisor=1,
    logging="http://127.0.0.1:1",
    kafka="127.0.0.1:2",
    services={"media-server": "127.0.0.1:20001", "orchestrator": "127.0.0.1:20002"},
)


@pytest.fixture
def caller(monkeypatch):
    """`caller(script)`: a stand-in for the scripted caller; it sees the caller's arguments."""
    build = calls._build_command

    def stand_in(script):
        def command(state, plan):
            real = build(state, plan)
            assert real[:3] == [sys.executable, "-m", "pipeline.frontend"]
            return [sys.executable, "-c", script, *real[3:]]

        monkeypatch.setattr(calls, "_build_command", command)

    return stand_in


ECHO = "import json, sys; print(json.dumps({'arguments': sys.argv[1:]}))"


async def test_caller_is_told_where_and_what(caller):
    """Both addresses of the stack and each sentence are on the caller's command line."""
    caller(ECHO)

    code, report = await make_call(STATE, CallPlan(("one two", "three"), reply_timeout_s=6.0))

    assert code == 0
    assert report["arguments"] == [
        *("--whip", "http://127.0.0.1:20001/whip", "--ws", "ws://127.0.0.1:20002/ws"),
        *("--reply-timeout", "6.0", "--voice", "rms", "--say", "one two", "--say", "three"),
    ]


async def test_mismatch_binds_another_session(caller):
    """The WebSocket of a sick call announces a valid ID that is not the session's."""
    caller(ECHO)

    _, report = await make_call(STATE, CallPlan(mismatch=True))

    option, session_id = report["arguments"][-2:]
    assert option == "--socket-session-id"
    assert check_session_id(session_id) is None


async def test_call_that_was_never_connected_has_a_report(caller):
    """The caller's exit code tells whether there was a call; the report comes in any case."""
    caller(f"{ECHO}; sys.exit(1)")

    code, report = await make_call(STATE, CallPlan())

    assert code == 1
    assert report["arguments"]


async def test_caller_that_fails_is_quoted(caller):
    """Without a report the caller's last word is the reason."""
    caller("import sys; sys.exit('first\\nflite is not installed')")

    with pytest.raises(StackError, match=r"^the call was not made: flite is not installed$"):
        await make_call(STATE, CallPlan(), quiet=True)


async def test_notes_go_to_stderr(caller, capfd):
    """Unless the call is a quiet one, its user sees what happens."""
    caller(f"{ECHO}; print('connected', file=sys.stderr)")

    await make_call(STATE, CallPlan())
    loud = capfd.readouterr()
    await make_call(STATE, CallPlan(), quiet=True)

    assert (loud.out, loud.err) == ("", "connected\n")
    assert capfd.readouterr().err == ""


async def test_stack_without_the_services(caller):
    """A stack that cannot take a call says what it lacks."""
    caller(ECHO)

    with pytest.raises(StackError, match="no service media-server"):
        await make_call(StackState(1, "", ""), CallPlan())


def test_call_needs_a_stack(tmp_path):
    """Where no stack runs there is nobody to call."""
    with pytest.raises(StackError, match="no stack runs in"):
        call_once(tmp_path, CallPlan())


def test_ids_are_minted_as_a_browser_does():
    """Milliseconds and nine characters, each ID another one, and accepted by the services."""
    ids = {mint_browser_session_id() for _ in range(100)}

    assert len(ids) == 100
    assert all(check_session_id(session_id) is None for session_id in ids)
    assert {len(json.dumps(session_id)) for session_id in ids} == {len('"session_1767225600000_abcdefghi"')}


async def test_who_interrupts_says_so(caller):
    """The option is the caller's own."""
    caller(ECHO)
    _, report = await make_call(STATE, CallPlan(("one",), interrupt=True))

    assert "--interrupt" in report["arguments"]
