"""Lines that name no session, and whose they are taken to be."""

from __future__ import annotations

import re

import pytest

from diag.session.attribution import around, find_attributed, running
from tests.cases import START_NS, diagnose, read, read_case

_HEAD = "# asks: $S\n# S = session_1753615601372_cz4gw0fl5\n# B = session_1753615601988_p07w2hhrk\n"

_STAGE = """
00:01.000 orchestrator info  Updated service state :: sessionID=$S service=llm state=executing
00:01.500 orchestrator debug LLM completed successfully :: response=one latency_ms=400
00:02.000 orchestrator info  Updated service state :: sessionID=$S service=llm state=complete
"""
_OTHER_STAGE = """
00:01.100 {pod} info  Updated service state :: sessionID=$B service=llm state=executing
00:02.300 {pod} info  Updated service state :: sessionID=$B service=llm state=complete
"""


def _attributed(text: str) -> dict[str, tuple[str, bool]]:
    """Message -> rule and whether it is ambiguous."""
    session = diagnose(read_case(_HEAD + text)).session
    return {one.event.entry.message: (one.rule, one.ambiguous) for one in session.attributed}


def test_a_line_of_a_stage_is_of_the_session_whose_stage_ran_on_its_pod() -> None:
    """Same pod, between executing and complete: the session's; before or behind it: nobody's."""
    text = _STAGE + "00:02.100 orchestrator debug After cleaning thinking tags :: response_length=3\n"
    assert _attributed(text) == {"LLM completed successfully": ("stage:llm", False)}


def test_it_is_ambiguous_where_another_session_runs_the_same_stage_there() -> None:
    """Two overlap on the pod, and nothing tells whose the line is."""
    text = _STAGE + _OTHER_STAGE.format(pod="orchestrator")
    assert _attributed(text) == {"LLM completed successfully": ("stage:llm", True)}


def test_another_pods_session_makes_nothing_ambiguous() -> None:
    """Each pod writes its own lines."""
    text = _STAGE + _OTHER_STAGE.format(pod="orchestrator/b")
    assert _attributed(text) == {"LLM completed successfully": ("stage:llm", False)}


def test_another_stage_writes_no_line_of_this_one() -> None:
    """The catalogue names the stage."""
    text = _STAGE.replace("service=llm", "service=tts")
    assert _attributed(text) == {}


def test_what_a_line_says_tells_it_from_another_sessions() -> None:
    """The answer stands in the session's own line, too; where that has another one, the line is not its."""
    told = """
    00:02.100 orchestrator info Storing cleaned LLM response in session metadata :: sessionID=$S llm_raw=one
    00:02.400 orchestrator info Storing cleaned LLM response in session metadata :: sessionID=$B llm_raw=two
    """
    text = _STAGE + _OTHER_STAGE.format(pod="orchestrator") + told
    assert _attributed(text)["LLM completed successfully"] == ("stage:llm, same content", False)
    assert "LLM completed successfully" not in _attributed(
        _STAGE + told.replace("llm_raw=one", "llm_raw=other")
    )
    assert "LLM completed successfully" not in _attributed(text.replace("response=one", "response=two"))


def test_two_stages_of_one_session_at_once_are_ambiguous() -> None:
    """The session is sure, the turn is not."""
    text = """
    00:01.000 orchestrator info Starting AI pipeline with state tracking :: sessionID=$S
    00:01.100 orchestrator info Updated service state :: sessionID=$S service=llm state=executing
    00:01.200 orchestrator info Starting AI pipeline with state tracking :: sessionID=$S
    00:01.300 orchestrator info Updated service state :: sessionID=$S service=llm state=executing
    00:01.400 orchestrator warning LLM request failed, retrying... :: attempt=1 error=EOF
    00:02.000 orchestrator info Updated service state :: sessionID=$S service=llm state=complete
    00:02.200 orchestrator info Updated service state :: sessionID=$S service=llm state=complete
    """
    assert _attributed(text) == {"LLM request failed, retrying...": ("stage:llm", True)}


def test_the_stages_own_service_is_attributed_by_time() -> None:
    """Its lines never name anybody; with another session's stage as near, its clock may say anything."""
    access = '00:01.600 llm-service text [GIN] 2025/07/28 - 06:39:39 | 200 | 1.2s | 10.4.0.12 | POST "/api/generate"\n'
    (found,) = (rule for message, rule in _attributed(_STAGE + access).items() if "GIN" in message)
    assert found == ("stage:llm", False)
    other = """
    00:04.000 orchestrator/b info Updated service state :: sessionID=$B service=llm state=executing
    00:05.000 orchestrator/b info Updated service state :: sessionID=$B service=llm state=complete
    """
    (found,) = (rule for message, rule in _attributed(_STAGE + access + other).items() if "GIN" in message)
    assert found == ("stage:llm", True)


def test_a_line_right_before_the_sessions_own_is_of_it() -> None:
    """``Received WHIP request`` is followed by the line that names the ID."""
    text = """
    00:00.000 media-server info Received WHIP request :: method=POST
    00:00.001 media-server info Using session ID from header :: sessionID=$S
    00:09.000 media-server info Received WHIP request :: method=POST
    """
    (one,) = diagnose(read_case(_HEAD + text)).session.attributed
    assert (one.event.time_ns, one.rule, one.ambiguous) == (START_NS, "before:whip.session", False)


def test_two_requests_at_once_are_ambiguous_and_two_in_turn_are_not() -> None:
    """What can only belong together is settled, and then nobody else's."""
    at_once = """
    00:00.000 media-server info Received WHIP request :: method=POST
    00:00.001 media-server info Received WHIP request :: method=PUT
    00:00.002 media-server info Using session ID from header :: sessionID=$S
    00:00.003 media-server info Using session ID from header :: sessionID=$B
    """
    session = diagnose(read_case(_HEAD + at_once)).session
    assert [one.ambiguous for one in session.attributed] == [True, True]
    lines = at_once.strip().splitlines()
    in_turn = "\n".join(
        [lines[0], lines[2].replace(".002", ".001"), lines[1].replace(".001", ".002"), lines[3]]
    )
    session = diagnose(read_case(_HEAD + in_turn)).session
    assert [(one.event.entry.field("method"), one.ambiguous) for one in session.attributed] == [
        ("POST", False)
    ]


def test_what_befalls_a_pod_befalls_its_sessions() -> None:
    """A crash between the session's lines on that pod is shown with it."""
    text = """
    00:00.000 media-server info Using session ID from header :: sessionID=$S
    00:01.000 media-server text panic: runtime error: integer divide by zero
    00:01.000 media-server/b text panic: concurrent write to websocket connection
    00:02.000 media-server info Connection cleaned up :: sessionID=$S
    """
    assert _attributed(text) == {"panic: runtime error: integer divide by zero": ("pod", False)}
    other = "00:00.500 media-server info Using session ID from header :: sessionID=$B\n"
    assert _attributed(text + other) == {"panic: runtime error: integer divide by zero": ("pod", True)}


def test_what_a_socket_asked_to_be_spoken_is_of_its_session() -> None:
    """``TTS request received`` names the connection; what follows on the pod names nothing."""
    text = """
    00:00.500 orchestrator info Received session info from frontend :: sessionID=$S connID=$W
    00:01.000 orchestrator info TTS request received :: connID=$W text=hello
    00:01.100 orchestrator info Calling AI service TextToSpeechWithParams :: text=hello
    00:01.900 orchestrator info TTS audio chunk sent successfully :: audioSize=9000
    00:05.000 orchestrator info TTS audio chunk sent successfully :: audioSize=100
    """
    assert _attributed(text) == {
        "Calling AI service TextToSpeechWithParams": ("request, same content", False),
        "TTS audio chunk sent successfully": ("request", False),
    }


def test_without_the_other_sessions_lines_nothing_is_sure() -> None:
    """A reading that did not ask for them can not know whose stage ran there as well."""
    _, reading = read(read_case(_HEAD + _STAGE))
    session = diagnose(read_case(_HEAD + _STAGE)).session
    lines, _ = find_attributed(session, reading.finder, sees_others=False)
    assert [one.ambiguous for one in lines] == [True]


def test_lines_without_end_cost_no_more_than_their_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is beyond the limit is counted, not looked at; the earliest are kept, of one instant all or none."""
    monkeypatch.setattr(around, "MOST_LINES", 2)
    flood = "\n".join(
        f"00:01.{place:03} orchestrator warning LLM request failed, retrying... :: attempt={place}"
        for place in range(600, 620)
    )
    session = diagnose(read_case(_HEAD + _STAGE + flood)).session
    assert [one.event.entry.message for one in session.attributed] == [
        "LLM completed successfully",
        "LLM request failed, retrying...",
    ]
    assert session.not_attributed == 19
    at_once = re.sub(r"00:01\.6\d\d", "00:01.600", flood)
    session = diagnose(read_case(_HEAD + _STAGE + at_once)).session
    assert [one.event.entry.message for one in session.attributed] == ["LLM completed successfully"]
    assert session.not_attributed == 20


def test_a_shared_connections_lines_without_end_are_counted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that name no session: the others are another session's own."""
    text = "00:00.500 orchestrator info Received session info from frontend :: sessionID=$S connID=$W\n"
    text += "".join(
        f"00:03.{place:03} orchestrator info Received session info from frontend "
        f":: sessionID=session_17536156{place:05}_abcdefghi connID=$W\n"
        for place in range(40)
    )
    text += "\n".join(
        f"00:01.{place:03} orchestrator info Raw WebSocket message received :: connID=$W size={place}"
        for place in range(600, 620)
    )
    text += "\n00:05.000 orchestrator info Session cleaned up :: sessionID=$S\n"
    assert diagnose(read_case(_HEAD + text)).session.not_attributed == 0
    monkeypatch.setattr(around, "MOST_LINES", 2)
    assert diagnose(read_case(_HEAD + text)).session.not_attributed == 19


def test_many_turns_before_a_line_do_not_make_it_ambiguous(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only stages that may have run when it was written are held against it."""
    monkeypatch.setattr(running, "_MOST_COMPARED", 3)
    early = _STAGE.replace("00:02.000", "00:01.600")
    many = "".join(early.replace("00:01", f"00:{at}") for at in range(10, 58, 4))
    session = diagnose(read_case(_HEAD + many)).session
    assert [one.ambiguous for one in session.attributed] == [False] * 12


def test_a_long_session_does_not_hide_the_others_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only other sessions' steps count towards the most that are looked at."""
    monkeypatch.setattr(around, "MOST_LANDMARKS", 1)
    assert _attributed(_STAGE) == {"LLM completed successfully": ("stage:llm", False)}
    many = "".join(_OTHER_STAGE.format(pod=f"orchestrator/{pod}") for pod in "bcdef")
    assert _attributed(_STAGE + many) == {"LLM completed successfully": ("stage:llm", True)}
