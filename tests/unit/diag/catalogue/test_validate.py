"""Catalogue files: what is wrong is named with its line and what to do; the packaged ones are right."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import diag.catalogue
from diag.catalogue import load_catalogue, validate_files
from diag.catalogue.document import read_document
from diag.catalogue.entries import list_entries
from diag.catalogue.load import PACKAGED
from diag.errors import DataError
from diag.model.canonical_events import EVENTS
from diag.normalise import redact_text

FOLDER = Path(diag.catalogue.__file__).parent
SERVICE = '[services.gateway]\nside = "media"\n'
LINE = "[messages.'x']\nevent = 'log'\n%s"
PATTERN = (
    SERVICE + "[[services.gateway.patterns]]\nshown = 'a <n>'\npattern = '^a (?P<n>.+)$'\n"
    "samples = ['a 1']\nevent = 'log'\n"
)


def problems(*texts: str) -> list[str]:
    files = []
    for number, text in enumerate(texts):
        Path(f"{number}.toml").write_text(text, "utf-8")
        files.append(f"{number}.toml")
    found = validate_files(files, redact_text).problems
    return [f"{one.file}:{one.line}: {one.text}; {one.remedy}" for one in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[services.gateway]\nsied = 'media'", "0.toml:2: unknown key 'sied'; did you mean side?"),
        ("[services.gateway]", "0.toml:1: service 'gateway' has no side; add side = ..., one of media, "),
        ("[services.gateway]\nside = 'x'", "0.toml:2: unknown side 'x'; use one of media, orchestrator, "),
        ("[services.'a b']\nside = 'media'", "0.toml:1: service 'a b' is no name; "),
        ("[services]\nx = 1", "0.toml:2: 'x' must be a table; "),
        ("services = 1", "0.toml:1: 'services' must be a table; "),
        (SERVICE + "aliases = 'x'", "0.toml:3: 'aliases' must be a list; "),
        (SERVICE + "aliases = [\n 'x',\n 7]", "0.toml:5: this entry of 'aliases' must be a text; "),
        ("[messages]\n'x' = 'log'", "0.toml:2: 'x' must be a table; give it keys of its own: { ... }"),
        ("[messages]\n'x' = {}", "0.toml:2: 'x' has no event; add event = ..."),
        ("[messages]\n'x' = { event = 'ws.opn' }", "0.toml:2: unknown event 'ws.opn'; did you mean ws.open?"),
        (LINE % "attributes = { stage = 'sst' }", "0.toml:3: unknown stage 'sst'; did you mean stt?"),
        (
            LINE % "attributes = { stage = 'llm', state = 'executng' }",
            "0.toml:3: unknown state 'executng'; did you mean executing?",
        ),
        (LINE % "attributed = 'stge:llm'", "0.toml:3: unknown attribution 'stge'; use one of stage:..., before"),
        (LINE % "attributed = 'stage:tss'", "0.toml:3: unknown stage 'tss'; did you mean tts?"),
        (LINE % "attributed = 'before:ws.opn'", "0.toml:3: unknown event 'ws.opn'; did you mean ws.open?"),
        (LINE % "attributed = 'pod:x'", "0.toml:3: 'pod:x' is no attribution: 'pod' stands alone; "),
        (LINE % "attributed = 'after'", "0.toml:3: 'after' is no attribution: after:... needs an event; "),
        (LINE % "attributed = 7", "0.toml:3: 'attributed' must be a text; put it in quotes"),
        (LINE % "code = 'main.go'", "0.toml:3: 'code' must name a function in a file; write FILE:FUNCTION, "),
        (LINE % "code = '/etc/x.py:main'", "0.toml:3: 'code' must name a function in a file; "),
        (LINE % "code = 'a/../../x.py:main'", "0.toml:3: 'code' must name a function in a file; "),
        (LINE % "code = 7", "0.toml:3: 'code' must name a function in a file; "),
        (LINE % "same = 'text'", "0.toml:3: 'same' must be a table; "),
        ("[messages]\n'x' = { event = 'log', show = ['a'] }", "0.toml:2: unknown key 'show'; did you mean shows?"),
        ("[messages]\n'x' = { event = 'log', attributes = { a = 1 } }", "0.toml:2: 'a' must be a text; "),
        ("[messages]\n' x' = { event = 'log' }", "0.toml:2: white space around a message is taken off lines; "),
        ("[messages]\n'to 10.0.0.1' = { event = 'log' }", "0.toml:2: redaction changes this message; "),
        ("[messages]\n'x' = { event = 'log' }\n'x' = { event = 'log' }", "0.toml:3: no TOML: Cannot overwrite a value"),
        ("[ids]\nsesion = ['a']", "0.toml:2: unknown key 'sesion'; did you mean session?"),
        ("[ids]\nsession = ['a']\nturn = ['b',\n'a']", "0.toml:4: the key 'a' is an ID of role turn, and at 0.toml:2 "),
        ("[ids]\nsession = ['a']\n[contents]\nkeys = ['a']", "0.toml:4: the key 'a' is what was said, and at 0.toml:2 "),
        ("[forms]\nsession = ['CA[0-9']", "0.toml:2: bad regular expression at character 3: unterminated"),
        ("[contents]", "0.toml:1: 'contents' has no keys; add keys = ..."),
        ("a = 1\nb = = 2", "0.toml:2: no TOML: Invalid value, column 5; correct the TOML syntax there"),
        (PATTERN.replace("event = 'log'", ""), "0.toml:3: this entry of 'patterns' has no event; add event = ..."),
        (PATTERN.replace("samples = ['a 1']\n", ""), "0.toml:3: this entry of 'patterns' has no samples; add samples = ..."),
        (PATTERN.replace("(?P<n>.+)", "(?P<n>.+"), "0.toml:5: bad regular expression at character 4: missing )"),
        (PATTERN.replace("'a 1'", "'b 1'"), "0.toml:6: the pattern does not match its sample 'b 1'; "),
        (PATTERN.replace("^a (?P<n>.+)$", ".*"), "0.toml:3: the pattern matches every line; "),
        (PATTERN + "[services.gateway.messages]\n'a 1' = { event = 'log' }",
         "0.toml:6: the sample 'a 1' is caught by 'a 1' at 0.toml:9; "),
        (PATTERN + PATTERN.replace(SERVICE, "").replace("a <n>", "b").replace("'a 1'", "'a 2'").replace(".+", "."),
         "0.toml:11: the sample 'a 2' is caught by 'a <n>' at 0.toml:3; "),
        (PATTERN.replace("'a 1'", "'Service started'").replace("^a ", "^Service "),
         "0.toml:6: the sample 'Service started' is caught by 'Service started' of the packaged catalogue (any service"),
    ],
)  # fmt: skip
def test_a_problem_has_its_line_and_says_what_to_do(workdir: Path, text: str, expected: str) -> None:
    """One of each kind."""
    found = problems(text)

    assert len(found) == 1, found
    assert found[0].startswith(expected)


def test_what_stands_in_two_files_is_named_with_both_places(workdir: Path) -> None:
    """Messages, patterns, names of services."""
    message = SERVICE + "aliases = ['gw']\n[services.gateway.messages]\n'x' = { event = 'log' }\n"
    other = "[services.other]\nside = 'media'\naliases = ['GW']\n"

    assert problems(message, message, other) == [
        "1.toml:5: the message is at 0.toml:5 already; remove one of the two",
        "2.toml:3: the name 'gw' is other, and at 0.toml:3 gateway; a name is one service's: remove it from one",
    ]
    assert problems(PATTERN, PATTERN)[0].startswith("1.toml:3: the pattern is at 0.toml:3 already")


def test_all_problems_come_at_once(workdir: Path) -> None:
    """A wrong form in one place does not hide a wrong sample in another."""
    found = problems(PATTERN.replace("'a 1'", "'b 1'") + "[messages]\n'x' = { event = 'no' }\n[idz]\n")

    assert [one.split(":")[1] for one in found] == ["6", "9", "10"]


def test_a_service_that_is_known_needs_no_side(workdir: Path) -> None:
    """Further messages of a packaged service, or of one in another file."""
    more = "[services.NAME.messages]\n'x' = { event = 'log' }\n"

    assert problems(more.replace("NAME", "orchestrator"), more.replace("NAME", "gateway"), SERVICE) == []


@pytest.mark.parametrize("name", PACKAGED)
def test_the_packaged_files_are_valid(name: str) -> None:
    """By the same command that users have; every pattern is hit by its samples, every message by itself."""
    assert validate_files([str(FOLDER / name)], redact_text).problems == ()


def test_every_packaged_entry_is_found_by_its_samples() -> None:
    """An exact message is its own sample; a pattern's named groups give something."""
    catalogue = load_catalogue()
    entries = [entry for name in PACKAGED for entry in list_entries(read_document(str(FOLDER / name)))]

    assert len(entries) > 300
    for entry in entries:
        for sample in entry.meaning.samples or (entry.meaning.text,):
            found = catalogue.find(sample, entry.meaning.service)
            assert found is not None
            assert found[0] == entry.meaning, sample


def test_the_canonical_events_are_those_that_the_packaged_catalogue_uses() -> None:
    """No event that nothing means, and none without an explanation."""
    catalogue = load_catalogue()
    meanings = [meaning for known in catalogue.exact.values() for meaning in known]
    used = {meaning.event for meaning in (*meanings, *(meaning for _, meaning in catalogue.patterns))}

    assert used == set(EVENTS)


def test_every_event_that_code_asks_for_is_canonical() -> None:
    """A misspelt name in a rule would never be met."""
    rooms = ("session", "checks", "render")
    text = "".join(path.read_text("utf-8") for room in rooms for path in (FOLDER.parent / room).rglob("*.py"))
    families = {name.split(".")[0] for name in EVENTS if "." in name}
    asked = set(re.findall(rf'"((?:{"|".join(families)})\.[a-z_]+)"', text)) - {"ws.audio"}  # a facet

    assert asked
    assert asked <= set(EVENTS)


def test_loading_refuses_what_validate_refuses(workdir: Path) -> None:
    """With the first problem, and how to see the rest."""
    Path("a.toml").write_text("[idz]\n[messagez]\n")

    with pytest.raises(DataError, match=r"a\.toml:1: unknown key 'idz'") as caught:
        load_catalogue(["a.toml"])
    assert "1 more: diag catalogue validate a.toml" in caught.value.hint


def test_a_users_catalogue_wins_over_the_packaged_one(workdir: Path) -> None:
    """Messages of the same service, names, keys; what it does not speak of stays."""
    Path("a.toml").write_text(
        "[ids]\nother = ['sessionId']\nsession = ['call.sid']\n[contents]\nkeys = ['words']\n"
        "[services.gateway]\nside = 'media'\naliases = ['Piper']\n[services.gateway.messages]\n"
        "'Service started' = { event = 'ws.open' }\n"
        "[services.orchestrator.messages]\n'Session ID mismatch' = { event = 'id.missing' }\n"
    )
    packaged, catalogue = load_catalogue(), load_catalogue(["a.toml"])

    assert catalogue.find("Session ID mismatch", "orchestrator")[0].event == "id.missing"
    assert catalogue.find("Service started", "gateway")[0].event == "ws.open"
    assert len(catalogue.exact["Session ID mismatch"]) == len(packaged.exact["Session ID mismatch"])
    assert (catalogue.id_roles["sessionId"], catalogue.id_roles["call.sid"]) == ("other", "session")
    assert (catalogue.aliases["piper"], catalogue.sides["gateway"]) == ("gateway", "media")
    assert {"words", "transcript"} <= catalogue.content_keys
    assert load_catalogue() is packaged
    assert packaged.aliases["piper"] == "tts-service"


def test_a_line_may_name_the_function_that_writes_it(workdir: Path) -> None:
    """With its class, in a file of the repository."""
    Path("0.toml").write_text(LINE % "code = 'services/orchestrator/delivery.py:Delivery.send'")

    assert load_catalogue(["0.toml"]).exact["x"][0].code == "services/orchestrator/delivery.py:Delivery.send"
