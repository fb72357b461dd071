"""The caller's command line."""

from __future__ import annotations

import pytest

from pipeline.frontend.settings import read_settings

GIVEN = ["--whip", "http://127.0.0.1:8001/whip", "--ws", "ws://127.0.0.1:8002/ws", "--say", "Hello"]


def test_the_socket_is_bound_to_the_session() -> None:
    """Both have the same new ID, unless they are told otherwise."""
    settings = read_settings([*GIVEN, "--say", "Goodbye"])
    mismatched = read_settings([*GIVEN, "--session-id", "a", "--socket-session-id", "b"])

    assert settings.session_id == settings.socket_session_id
    assert settings.session_id.startswith("session_")
    assert (settings.sentences, settings.voice) == (("Hello", "Goodbye"), "slt")
    assert (mismatched.session_id, mismatched.socket_session_id) == ("a", "b")
    assert read_settings([*GIVEN, "--session-id", "a"]).socket_session_id == "a"


@pytest.mark.parametrize(
    "more",
    [
        ["--whip", "http://example.com:80/whip"],
        ["--ws", "http://127.0.0.1:8002/ws"],
        ["--say", "..."],
        ["--say", "x" * 501],
        ["--voice", "kal"],
        ["--reply-timeout", "0"],
        ["--reply-timeout", "nan"],
        ["--reply-timeout", "soon"],
        ["--nonsense"],
    ],
)
def test_wrong_options_are_one_line(capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    """Status 2, and nothing on stdout."""
    with pytest.raises(SystemExit) as ended:
        read_settings([*GIVEN, *more])
    output = capsys.readouterr()

    assert ended.value.code == 2
    assert (output.out, output.err.count("\n")) == ("", 1)


def test_what_to_say_and_where_must_be_told(capsys: pytest.CaptureFixture[str]) -> None:
    """There is no default for it."""
    with pytest.raises(SystemExit):
        read_settings([])
    assert "--whip, --ws, --say" in capsys.readouterr().err
