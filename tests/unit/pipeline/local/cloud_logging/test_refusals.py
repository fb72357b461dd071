from __future__ import annotations

import grpc
import pytest

from pipeline.local.cloud_logging.refusals import Refuser, parse_orders


def refused(text, times_s):
    """What requests at these times, after the order was given at 100, are refused with."""
    refuser = Refuser(parse_orders(text), 100.0)
    return [code and code.name for code in map(refuser.next, times_s)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [None] * 4),
        ("UNAVAILABLE", ["UNAVAILABLE"] * 4),
        ("UNAVAILABLE*2", ["UNAVAILABLE", "UNAVAILABLE", None, None]),
        ("PERMISSION_DENIED/2", [None, "PERMISSION_DENIED", None, "PERMISSION_DENIED"]),
        ("INTERNAL@2", ["INTERNAL", "INTERNAL", None, None]),
        ("OK*2, ABORTED", [None, None, "ABORTED", "ABORTED"]),
        ("INTERNAL*1, ABORTED*2", ["INTERNAL", "ABORTED", "ABORTED", None]),
    ],
)
def test_orders_are_carried_out(text, expected):
    """So often, every so often, for so long, one after the other."""
    assert refused(text, [100.0, 101.0, 102.0, 103.0]) == expected


@pytest.mark.parametrize(
    "text",
    ["GONE", "unavailable", "UNAVAILABLE*", "UNAVAILABLE*0", "UNAVAILABLE/1.5", "A,", "UNAVAILABLE*-1"],
)
def test_what_is_no_order_is_named(text):
    """A misspelt fault must not be a test that passes without it."""
    with pytest.raises(ValueError, match=r"no order|not a number"):
        parse_orders(text)


def test_a_time_may_have_fractions():
    """Half a second is long, for a test."""
    assert parse_orders("UNAVAILABLE@0.5")[0].number == 0.5
    assert parse_orders("UNAVAILABLE@0.5")[0].code is grpc.StatusCode.UNAVAILABLE
