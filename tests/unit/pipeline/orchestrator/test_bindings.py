"""Bindings: one to one at all times, whatever the order of binds and closes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.orchestrator.bindings import SocketBindings


def test_a_session_has_its_connection() -> None:
    """Exactly that session, and no other one."""
    bindings = SocketBindings()

    assert bindings.bind("ws_1", "session a") is None
    assert bindings.find_connection("session a") == "ws_1"
    assert bindings.find_connection("session b") is None


def test_a_second_connection_takes_over() -> None:
    """The first one is named, so that it can be told, and its end changes nothing any more."""
    bindings = SocketBindings()
    bindings.bind("ws_1", "session a")

    assert bindings.bind("ws_2", "session a") == "ws_1"
    bindings.release("ws_1")
    assert bindings.find_connection("session a") == "ws_2"


def test_a_connection_may_turn_to_another_session() -> None:
    """The last one wins; the first session has nobody then."""
    bindings = SocketBindings()
    bindings.bind("ws_1", "session a")
    bindings.bind("ws_1", "session b")

    assert bindings.find_connection("session a") is None
    assert bindings.find_connection("session b") == "ws_1"


def test_binding_again_displaces_nobody() -> None:
    """Least of all itself."""
    bindings = SocketBindings()
    bindings.bind("ws_1", "session a")

    assert bindings.bind("ws_1", "session a") is None
    assert bindings.find_connection("session a") == "ws_1"


@given(
    st.lists(st.tuples(st.sampled_from(["bind", "release"]), st.sampled_from("123"), st.sampled_from("abc")))
)
def test_the_two_directions_always_agree(steps: list[tuple[str, str, str]]) -> None:
    """After any history every bound session leads to one connection, and no two to the same."""
    bindings = SocketBindings()
    for step, connection_id, session_id in steps:
        if step == "bind":
            bindings.bind(connection_id, session_id)
            assert bindings.find_connection(session_id) == connection_id
        else:
            bindings.release(connection_id)
    bound = [found for session in "abc" if (found := bindings.find_connection(session)) is not None]

    assert len(bound) == len(set(bound)) == len(bindings)
