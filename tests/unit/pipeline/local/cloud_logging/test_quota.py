from __future__ import annotations

from pipeline.local.cloud_logging.quota import ReadQuota


def test_so_many_in_any_minute():
    """The quota counts over the last 60 seconds, and refused requests cost nothing."""
    quota = ReadQuota(2)

    assert [quota.take(now) for now in (0, 30, 59, 60, 61, 90, 91)] == [
        True,
        True,
        False,
        True,
        False,
        True,
        False,
    ]


def test_no_quota():
    """Zero means that nobody counts."""
    quota = ReadQuota(0)

    assert all(quota.take(0) for _ in range(1000))
