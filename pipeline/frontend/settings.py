"""Settings of the scripted caller: its command line."""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from pipeline.frontend.core import mint_browser_session_id
from pipeline.wire.environment import EXIT_SETTINGS, check_loopback_url
from pipeline.wire.flite import LONGEST_CHARS, VOICES, is_speakable


@dataclass(frozen=True, slots=True)
class Settings:
    """What the caller does.

    Attributes:
        whip_url: where the media server takes offers.
        ws_urls: where the orchestrators take sockets, in the order in which they are tried.
        sentences: what is said, in this order.
        session_id: the session's ID, sent with WHIP.
        socket_session_id: the ID that the socket is bound to; another one than `session_id` is how a
            frontend with a mismatch behaves.
        voice: flite's voice of the caller.
        reply_timeout_s: how long a reply is waited for, from the end of each sentence on.
        interrupt: whether each next sentence is spoken over the reply to the one before.
    """

    whip_url: str
    ws_urls: tuple[str, ...]
    sentences: tuple[str, ...]
    session_id: str
    socket_session_id: str
    voice: str
    reply_timeout_s: float
    interrupt: bool = False


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, as everywhere else."""
        self.exit(EXIT_SETTINGS, f"{self.prog}: {message}\n")


def read_settings(arguments: Sequence[str]) -> Settings:
    """The settings; wrong ones end the process in one line with status 2."""
    options = _build_parser().parse_args(arguments)
    session_id = options.session_id or mint_browser_session_id()
    return Settings(
        whip_url=options.whip,
        ws_urls=tuple(options.ws),
        sentences=tuple(options.say),
        session_id=session_id,
        socket_session_id=options.socket_session_id or session_id,
        voice=options.voice,
        reply_timeout_s=options.reply_timeout,
        interrupt=options.interrupt,
    )


def _build_parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m pipeline.frontend", description="A caller who speaks from a script.")
    parser.add_argument("--whip", required=True, type=_read_http_url, help="URL of the WHIP endpoint")
    parser.add_argument(
        "--ws",
        required=True,
        action="append",
        type=_read_ws_url,
        help="URL of the orchestrator's socket; of its replicas, each",
    )
    parser.add_argument(
        "--say", required=True, action="append", type=_read_sentence, help="a sentence; may be repeated"
    )
    parser.add_argument("--session-id", help="instead of a new one")
    parser.add_argument("--socket-session-id", help="bind the socket to this session instead")
    parser.add_argument("--voice", choices=VOICES, default="slt", help="the caller's voice")
    parser.add_argument(
        "--reply-timeout", type=_read_seconds, default=15.0, help="seconds to wait for each reply"
    )
    parser.add_argument(
        "--interrupt", action="store_true", help="speak each next sentence over the reply to the one before"
    )
    return parser


def _read_http_url(text: str) -> str:
    return _read_url(text, "http")


def _read_ws_url(text: str) -> str:
    return _read_url(text, "ws")


def _read_url(text: str, scheme: str) -> str:
    try:
        return check_loopback_url(text, (scheme,))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error


def _read_sentence(text: str) -> str:
    if not is_speakable(text) or len(text) > LONGEST_CHARS:
        raise argparse.ArgumentTypeError(f"a sentence has 1 to {LONGEST_CHARS} characters to speak")
    return text


def _read_seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 600:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds up to 600")
    return seconds
