"""The catalogue as a value: which meaning a message has, and what an ID is."""

from __future__ import annotations

import re

import pytest

from diag.model.catalogue import Catalogue, Meaning
from diag.model.coverage import Coverage
from diag.model.identifiers import IdKind


def build(*patterns: tuple[str, str], exact: tuple[str, ...] = ()) -> Catalogue:
    return Catalogue(
        exact={"same": tuple(Meaning("same", service, "log") for service in exact)} if exact else {},
        patterns=tuple((re.compile(text), Meaning(text, service, "log")) for text, service in patterns),
        id_roles={"call": "session"},
        content_keys=frozenset(),
        aliases={},
        sides={},
        id_forms={"session": (re.compile("CA[0-9]+"),), "connection": (re.compile("c-[0-9]+"),)},
        id_patterns=(re.compile("leg (?P<call>[0-9]+) (?P<other>[0-9]+)"),),
    )


@pytest.mark.parametrize(("asked", "answer"), [("b", "b"), ("c", "a"), ("", "a")])
def test_the_meaning_of_the_same_service_is_preferred(asked: str, answer: str) -> None:
    """For messages and for patterns; else the first one counts."""
    assert build(exact=("a", "b")).find("same", asked)[0].service == answer
    assert build(("x", "a"), ("xy", "b")).find("xyz", asked)[0].service == answer
    assert build(("x", "a")).find("nothing", asked) is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("CA12", IdKind.OWN),
        ("c-7", IdKind.CONNECTION),
        ("CA12x", IdKind.MALFORMED),
        ("undefined", IdKind.LOST),
        ("ws_1753615602114220410", IdKind.CONNECTION),
    ],
)
def test_a_form_of_the_catalogue_makes_an_id_well_formed(text: str, kind: IdKind) -> None:
    """Only where diag knows no better."""
    assert build().classify(text).kind is kind


def test_a_group_that_is_called_like_an_id_key_is_an_id() -> None:
    """And no other group."""
    assert list(build().ids_in_message("leg 12 34")) == [("session", "call", "12")]


def test_services_of_a_side_do_the_work_of_its_reference_service() -> None:
    """Unless that one was heard itself."""
    sides = {"media-server": "media", "gateway": "media", "other": "stt"}
    foreign = Coverage(services=(("gateway", 3), ("other", 2)), sides=sides)
    own = Coverage(services=(("gateway", 3), ("media-server", 1)), sides=sides)

    assert (foreign.called("media-server"), foreign.entries_of("media-server")) == ("gateway", 3)
    assert (own.called("media-server"), own.entries_of("media-server")) == ("media-server", 1)
    assert (foreign.called("orchestrator"), foreign.entries_of("orchestrator")) == ("orchestrator", 0)
