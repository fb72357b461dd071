"""Writings of one ID are found among many others, without comparing each with each."""

from __future__ import annotations

import pytest

from diag.session.identity import kinship
from diag.session.identity.kinship import Kinship

S = "session_1753615601372_cz4gw0fl5"
CROWD = [f"session_1753615601{n % 1000:03d}_{n:09d}" for n in range(5_000)]


@pytest.mark.parametrize(
    ("other", "rule"),
    [
        ("session_1753615601372_cz4g", "truncated"),
        ("session_1753615601372_cz4gw0fl", "truncated"),
        ("SESSION_1753615601372_CZ4GW0FL5", "re-cased"),
        ("session%5F1753615601372%5Fcz4gw0fl5", "URL-encoded"),
        ("session_1753615601_cz4gw0fl5", "unit changed"),
        ("session_1753615601372000_cz4gw0fl5", "unit changed"),
    ],
)
def test_another_writing_is_found_in_a_crowd(other: str, rule: str) -> None:
    """From either side."""
    among = Kinship([*CROWD, S, other])

    assert among.of([S]) == ((S, other, rule),)
    assert among.of([other]) == ((other, S, rule),)


@pytest.mark.parametrize(
    "other", ["session_1753615601372_cz", "session_1753615602372_cz4gw0fl5", "session_x"]
)
def test_what_is_only_alike_is_none(other: str) -> None:
    """Too little of the random part, another second, no time."""
    assert Kinship([S, other]).of([S]) == ()


def test_a_crowd_of_one_second_costs_few_comparisons(monkeypatch: pytest.MonkeyPatch) -> None:
    """A load test mints thousands in a second, a broken client gives them all one random part."""
    compared = []
    monkeypatch.setattr(kinship, "kin_rule", lambda *pair: compared.append(pair) or "")
    one_random = [f"session_{1753615601000 + n % 1000}{n // 1000}_aaaaaaaaa" for n in range(3_000)]
    Kinship([*CROWD, *one_random]).of([*CROWD, *one_random])

    assert len(compared) <= 30 * (len(CROWD) + len(one_random))
