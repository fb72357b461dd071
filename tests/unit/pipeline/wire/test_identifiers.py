"""Session IDs: minted unguessable, believed only when they are well-formed and recent."""

from __future__ import annotations

import pytest

from pipeline.wire.identifiers import (
    check_session_id,
    derive_turn_id,
    escape_for_log,
    is_turn_id,
    mint_connection_id,
    mint_session_id,
)

NOW_NS = 1_753_615_601_372_000_000


def test_a_minted_session_id_is_believed() -> None:
    """What one service mints, another believes."""
    assert check_session_id(mint_session_id(NOW_NS), NOW_NS) is None
    assert mint_session_id(NOW_NS) != mint_session_id(NOW_NS)


@pytest.mark.parametrize("digits", ["1753615601", "1753615601372", "1753615601372000", "1753615601372000000"])
def test_the_unit_follows_from_the_digits(digits: str) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds are judged by the same rule."""
    assert check_session_id(f"session_{digits}_cz4gw0fl5", NOW_NS) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "undefined",
        "session_1753615601372_ab",
        "session_1753615601372_",
        "session_17536156013_abcd",
        "session_1553615601372_abcd",
        "session_1853615601372_abcd",
        "test_session_1753615601372_abcd",
        "session_1753615601372_abcd\n",
        "session_1753615601372_abcd\r\nX-Session-ID: session_1753615601372_efgh",
        "session_\u0661753615601372_abcd",
        "session_1753615601372_" + "a" * 60,
    ],
)
def test_anything_else_is_refused_with_a_reason(text: str) -> None:
    """Whatever a client brings that is no session ID, the refusal says why."""
    refusal = check_session_id(text, NOW_NS)

    assert refusal is not None
    assert refusal.reason


def test_turn_ids_have_one_form() -> None:
    """A turn ID is believed exactly in the form in which it is made."""
    assert is_turn_id(derive_turn_id("session", 0, 7))
    assert not is_turn_id("turn_1")
    assert not is_turn_id("turn_0123456g")


def test_the_same_speech_is_the_same_turn() -> None:
    """On every replica and after every restart; any other speech is another one."""
    turn = derive_turn_id("session", 0, 7)

    assert derive_turn_id("session", 0, 7) == turn
    assert (
        len(
            {
                turn,
                derive_turn_id("session", 0, 8),
                derive_turn_id("session", 1, 7),
                derive_turn_id("x", 0, 7),
            }
        )
        == 4
    )


def test_a_connection_id_names_its_instant() -> None:
    """Nanoseconds, always 19 digits."""
    assert mint_connection_id(NOW_NS) == "ws_1753615601372000000"


def test_hostile_text_is_cut_and_escaped_for_the_log() -> None:
    """Neither control characters nor lone surrogates nor length get into a line."""
    shown = escape_for_log("a\x00\n\ud800" + "b" * 200)

    assert shown.startswith("a\\x00\\n\\ud800b")
    assert len(shown) == 80
    assert shown.isprintable()
