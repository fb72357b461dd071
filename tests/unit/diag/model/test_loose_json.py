"""What no JSON is, and is written all the same: a line is not lost for it."""

from __future__ import annotations

import pytest

from diag.model.loose_json import load_json


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": NaN, "b": [-Infinity, 1e999]}', {"a": None, "b": [None, None]}),
        (
            r'{"a": "\ud83d", "b": "\\ud83d", "c": "\ud83d\ude00"}',
            {"a": "?", "b": "\\ud83d", "c": "\U0001f600"},
        ),
        ('{"a": NaN, "n": 9007199254740993} \r', {"a": None, "n": 9007199254740993}),
        ('{"a": %s}' % ("9" * 5000), {"a": None}),
    ],
)
def test_what_can_be_read_is(text: str, found: object) -> None:
    """No number that JSON does not have, and no half a character, is left in it."""
    assert load_json(text) == found


@pytest.mark.parametrize("text", ["", "{", '{"a": NaN} {', '{"a": NaN} x', '{"a":' * 100_000, "{a: 1}"])
def test_what_is_half_an_object_or_more_than_one_is_none(text: str) -> None:
    """It stays a text."""
    with pytest.raises(ValueError, match=r"."):
        load_json(text)
