"""Learning: the same lines in any order give the same proposal, and it is always a valid catalogue."""

from __future__ import annotations

import random
import tempfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from diag.catalogue import load_catalogue, validate_files
from diag.catalogue.bounded import Lowest
from diag.catalogue.id_forms import describe_form, looks_like_id
from diag.catalogue.learn import Learner
from diag.catalogue.mask import Slot, mask_message
from diag.catalogue.templates import TemplateMiner
from diag.model.proposal import Proposal, SeenLine
from diag.normalise import redact_text
from diag.render.catalogue import render_proposal

CALL = "CA9b2e71c4d8f035a6e7b8091c2d3e4f50"


def learn(lines: list[SeenLine]) -> Proposal:
    learner = Learner(load_catalogue(), redact_text)
    for line in lines:
        learner.add(line)
    return learner.propose()


def say(*messages: str, service: str = "gateway", **values: str) -> list[SeenLine]:
    return [SeenLine(service, redact_text(text.strip()), tuple(values.items())) for text in messages]


def shown(*messages: str) -> list[str]:
    return [line.text for service in learn(say(*messages)).services for line in service.lines]


def show(message: str) -> str:
    return "".join(
        part if isinstance(part, str) else f"<{part.name}>" for part in mask_message(message).parts
    )


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("media up", "media up"),
        ("2025-07-27 11:28:16,042 INFO up", "<STAMP> INFO up"),
        ("took 35ms.", "took <WORD>."),
        ("state=open, code=7", "state=<WORD>, code=<WORD>"),
        ("got \"a b\" and 'c', can't", "got \"<DOUBLE_QUOTED>\" and '<SINGLE_QUOTED>', can't"),
        ("from <ip 1a2b3c> to <secret>", "from <PSEUDONYM> to <secret>"),
        ("key ghAbcdefghijklmnopqrst used", "key <WORD> used"),
        ("user said: I am ill", "user said: <TAIL>"),
        ("Transcript : my PIN", "Transcript : <TAIL>"),
        ("failed: no route", "failed: no route"),
        ("boom\n  at x.js:1", "boom\n<REST>"),
        ("a" + " b" * 300, "a" + " b" * 39 + " <TAIL>"),
    ],
)
def test_what_varies_is_a_slot(message: str, expected: str) -> None:
    """Numbers, values, quotations, what was said; words stay, and the parts give the message back."""
    masked = mask_message(message)
    values = iter(masked.values)

    assert show(message).startswith(expected[:60])
    assert "".join(part if isinstance(part, str) else next(values) for part in masked.parts) == message


def test_a_word_with_many_values_is_a_slot_and_one_with_few_is_not() -> None:
    """Five names are one template; four ways to fail are four messages."""
    names = [f"user {name} has joined" for name in ("ann", "bob", "cy", "dee", "eve")]
    ways = [f"failed to create {what}" for what in ("offer", "answer", "track", "peer")]

    assert shown(*names) == ["user <user> has joined"]
    assert shown(*ways) == sorted(ways)


def test_many_ends_behind_a_colon_are_a_tail() -> None:
    """Errors of a library, say."""
    assert shown("dial: no route", "dial: connection refused by peer", "dial: timeout") == ["dial: <text>"]
    assert shown("dial: no route", "dial: timeout") == ["dial: no route", "dial: timeout"]


def test_a_digit_that_never_varies_is_a_word() -> None:
    """``H264`` is a name; a port that happens to be the same is none."""
    assert shown(*["codec H264 on port 8002"] * 3) == ["codec H264 on port <port>"]


def test_a_group_is_called_after_the_key_that_holds_its_ids() -> None:
    """So that the ID in a text is read as one; without such a field the word before it names it."""
    field = learn(say(f"call {CALL} up", callSid=CALL))
    text = learn([*say(f"call {CALL} up"), *say(f"turn for {CALL}", service="manager")])

    assert field.services[0].lines[0].text == "call <callSid> up"
    assert [(key.key, key.role) for key in field.keys] == [("callSid", "session")]
    assert text.services[0].lines[0].text == "call <call_id> up"
    assert ("call_id", "session", True) in [(key.key, key.role, key.shared) for key in text.keys]


@pytest.mark.parametrize(
    ("key", "value", "role"),
    [
        ("callSid", CALL, "session"),
        ("dialogId", "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b", "session"),
        ("socketId", "sock_8f3a1c", "connection"),
        ("otel.traceId", None, None),
        ("myTraceId", "4bf92f3577b34da6a3ce929d0e0e4736", "trace"),
        ("utteranceId", "utt-000123ab", "turn"),
        ("userId", "u-123456", ""),
        ("requestId", "3f2b8c1e-5d4a-4e6f-9a7b-0c1d2e3f4a5b", ""),
        ("hostname", "gateway-6f46659ddf-n25zw", None),
        ("model", "gpt-4-0613", None),
        ("latency", "1234567", None),
        ("at", "2025-07-27T11:28:16Z", None),
        ("codec", "opus", None),
    ],
)
def test_keys_that_hold_ids_get_a_role(key: str, value: str | None, role: str | None) -> None:
    """By name and form; what names a person or a request is left to the user; the rest is none."""
    found = {one.key: one.role for one in learn(say("media up", **{key: value or "x"})).keys}

    assert found.get(key) == role


def test_a_key_whose_ids_recur_in_another_service_is_proposed() -> None:
    """Under whatever name they stand there."""
    lines = [*say("a b", legRef="L77-0001"), *say("c d", service="manager", partyCid="L77-0001")]

    assert {one.key: one.shared for one in learn(lines).keys} == {"partyCid": True, "legRef": True}


@pytest.mark.parametrize(
    ("values", "form"),
    [
        ([CALL, "CA5f0c3a9d1b7e42688c0d9e1f2a3b4c5d"], "CA[0-9a-f]{32}"),
        (["conn-3fa2", "conn-91c7d"], "conn-[0-9a-f]{4,5}"),
        (["3f2b8c1e-5d4a", "0f2b8c1e-9d4a"], "[0-9a-f-]{13}"),
        (["aB3.x_9"], "[0-9A-Za-z_.]{7}"),
    ],
)
def test_the_form_of_ids(values: list[str], form: str) -> None:
    """What they begin with, their characters and lengths."""
    assert describe_form(values) == form


def test_numbers_are_ids_only_where_the_key_says_so() -> None:
    """A duration of seven digits is none."""
    assert looks_like_id("1234567", named=True)
    assert not looks_like_id("1234567", named=False)


def test_what_is_kept_does_not_depend_on_the_order() -> None:
    """And whatever is kept was counted whole."""
    texts = [f"text {'x' * (n % 90)} {n % 300}" for n in range(3000)]
    results = []
    for seed in range(3):
        random.Random(seed).shuffle(texts)
        kept: Lowest[int] = Lowest(20)
        for text in texts:
            kept.put(text, 1, lambda one, other: one + other)
        results.append(list(kept.items()))

    assert results[0] == results[1] == results[2]
    assert len(results[0]) == 20
    assert all(count == texts.count(text) for text, count in results[0])


def test_memory_is_bounded_and_what_was_dropped_is_counted() -> None:
    """By different texts, however many lines there are."""
    miner = TemplateMiner(most=50)
    for n in range(1000):
        miner.add("s", mask_message(str(n).translate(str.maketrans("0123456789", "abcdefghij"))))
    kept = miner.mine()

    assert len(kept) <= 50
    assert miner.added == 1000
    assert sum(one.count for one in kept) < 1000


MESSAGES = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60),
        st.text("ab1 :=\"'<>.\\\n\x1b\u202e(){}[]|^$*+?#,;", min_size=1, max_size=40),
        st.sampled_from(
            [f"call {CALL} up", "user ann: hi", "Service started", "panic: x", "a: b", "a: 1", 'x="']
        ),
    ),
    min_size=1,
    max_size=25,
)


@settings(max_examples=150, deadline=None)
@given(MESSAGES, st.randoms(use_true_random=False))
def test_any_proposal_is_a_valid_catalogue_whatever_the_order(
    messages: list[str], shuffle: random.Random
) -> None:
    """Hostile texts included; and the catalogue then knows the exact messages."""
    lines = say(*messages, callSid=CALL) + say(*messages[:3], service="other")
    text = render_proposal(learn(lines))
    shuffle.shuffle(lines)

    assert render_proposal(learn(lines)) == text
    assert all(char == "\n" or char.isprintable() for char in text)
    with tempfile.NamedTemporaryFile("w", suffix=".toml", encoding="utf-8") as file:
        file.write(text or "[messages]\n")
        file.flush()
        assert validate_files([file.name], redact_text).problems == ()


def test_frequent_texts_survive_any_number_of_rare_ones() -> None:
    """The second pass knows them; without one the choice is blind."""
    rare = [f"text {str(n).translate(str.maketrans('0123456789', 'abcdefghij'))} came" for n in range(5000)]
    lines = say(*rare, *["media up"] * 3, "call accepted", "call accepted", service="gateway")
    first = Learner(load_catalogue(), redact_text)
    for line in lines:
        first.add(line)
    second = Learner(load_catalogue(), redact_text, first)
    for line in reversed(lines):
        second.add(line)
    proposal = second.propose()

    assert first.is_crowded()
    assert {"media up": 3, "call accepted": 2}.items() <= {
        line.text: line.count for service in proposal.services for line in service.lines
    }.items()
    assert proposal.dropped > 0


def test_slots_are_told_apart_from_texts_that_look_like_them() -> None:
    """A line that says ``<WORD>`` is no template."""
    assert mask_message("<WORD>").parts != (Slot.WORD,)
    assert len(learn(say("ab 1 cd", "ab <WORD> cd", "ab \x00WORD\x00 cd")).services[0].lines) == 3


def test_an_id_without_a_digit_is_a_slot_where_a_key_holds_it() -> None:
    """Most rooms have a digit in their names; the others are no messages of their own."""
    rooms = [*(f"RM_Ab{n}dEf{n}hJkXm" for n in range(5)), "RM_VwvrpuVrRcvq"]
    lines = [line for room in rooms for line in say(f"channel open for {room}", roomID=room, state="Open")]
    lines += [line for room in rooms for line in say("State changed", service="agent", roomID=room)]
    texts = [line.text for service in learn(lines).services for line in service.lines]

    assert texts == ["State changed", "channel open for <roomID>"]
