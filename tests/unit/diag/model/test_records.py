"""What a record of a topic says of its session."""

from __future__ import annotations

import pytest

from diag.model.records import KafkaRecord

S, B = "session_1753615601372_cz4gw0fl5", "session_1753615601988_p07w2hhrk"


def record(key: str | None, header: str | None = None, field: str | None = None) -> KafkaRecord:
    headers = () if header is None else (("timestamp", "1"), ("session-id", header))
    return KafkaRecord("audio-in", 0, 7, 1, key, headers, () if field is None else (("session_id", field),))


@pytest.mark.parametrize(
    ("one", "ids", "lost"),
    [
        (record(S), (S,), False),
        (record(None, S), (S,), False),
        (record(None, None, S), (S,), False),
        (record(S, S, S), (S,), False),
        (record(S, B), (S, B), False),
        (record(None), (), False),
        (record("undefined"), (), True),
        (record(""), (), True),
        (record(None, "undefined"), (), True),
        (record(S, "undefined"), (S,), True),
        (record("null", S), (S,), True),
        (record(None, None, "NaN"), (), True),
    ],
)
def test_key_header_and_field_name_the_session_or_lose_it(
    one: KafkaRecord, ids: tuple[str, ...], *, lost: bool
) -> None:
    """A key that is not there is no loss, where the header says whose it is."""
    assert one.session_ids == ids
    assert one.is_lost is lost


def test_a_lost_id_is_named_with_its_place() -> None:
    """The hop that lost it is read off this."""
    assert record(S, "undefined").lost_ids == (("header session-id", "undefined"),)
    assert record("", None, "null").lost_ids == (("key", ""), ("field session_id", "null"))


def test_only_headers_that_hold_ids_count() -> None:
    """A trace or a time is no session; another deployment names its header otherwise."""
    headers = (("user", "undefined"), ("sid", S))

    assert KafkaRecord("t", 0, 1, 1, None, headers).session_ids == ()
    named = KafkaRecord("t", 0, 1, 1, None, headers, id_headers=frozenset({"sid"}))
    assert (named.session_ids, named.is_lost) == ((S,), False)
