"""What an ID is, by its form."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from diag.model.identifiers import LONGEST, IdKind, classify, find_in_text, trace_id_of
from diag.model.instants import parse_instant
from pipeline.wire.identifiers import check_session_id, mint_session_id

VECTORS = tomllib.loads((Path(__file__).parents[3] / "vectors" / "identifiers.toml").read_text("utf-8"))


@pytest.mark.parametrize("vector", VECTORS["id"], ids=lambda vector: vector["from"])
def test_every_vector_has_its_kind_unit_and_time(vector) -> None:
    """The IDs of every platform are known, and the time inside them."""
    found = classify(vector["text"])

    assert (found.kind.value, found.unit) == (vector["kind"], vector["unit"])
    if "minted" in vector:
        assert found.minted_ns == parse_instant(vector["minted"])


@pytest.mark.parametrize("vector", VECTORS["id"], ids=lambda vector: vector["from"])
def test_the_services_accept_what_the_same_vectors_say(vector) -> None:
    """Both sides of the wall are held by one file."""
    refusal = check_session_id(vector["text"], parse_instant(VECTORS["now"]))

    assert (refusal is None) == vector["accepted"], refusal


def test_what_the_media_server_mints_is_an_id_of_the_media_server() -> None:
    """Minting and recognising agree."""
    found = classify(mint_session_id())

    assert found.kind is IdKind.MEDIA
    assert check_session_id(found.text) is None


def test_an_id_inside_a_text_stands_alone() -> None:
    """A test's ID holds no session's; what follows "for session:" counts whatever it is."""
    text = "no session_1753615601372_cz4gw0fl5, test_session_1753615601372_ab, for session: weird-id."

    assert find_in_text(text) == ("session_1753615601372_cz4gw0fl5", "weird-id")


def test_a_text_of_a_megabyte_is_malformed_and_quick() -> None:
    """Hostile length costs nothing."""
    assert classify("session_1" * 200_000).kind is IdKind.MALFORMED
    assert classify("x" * (LONGEST + 1)).kind is IdKind.MALFORMED


@pytest.mark.parametrize(
    ("text", "trace"),
    [
        ("4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("projects/p/traces/4bf92f3577b34da6a3ce929d0e0e4736", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", "4bf92f3577b34da6a3ce929d0e0e4736"),
        ("0" * 32, None),
        ("not a trace", None),
    ],
)
def test_a_trace_is_found_in_all_its_spellings(text: str, trace: str | None) -> None:
    """The LogEntry's name, the bare ID and a traceparent are one trace."""
    assert trace_id_of(text) == trace
