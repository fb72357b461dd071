from __future__ import annotations

from pipeline.local.cloud_logging.quota import ReadQuota


def test_so_many_in_any_minute():
    """The quota counts over the last 60 seconds, and refused requests cost nothing."""
    quota = ReadQuota()

    assert [quota.take(now, 2) for now in (0, 30, 59, 60, 61, 90, 91)] == [
        True,
        True,
        False,
        True,
        False,
        True,
        False,
    ]


def test_no_quota():
    """Zero means that nothing is refused."""
    quota = ReadQuota()

    assert all(quota.take(0, 0) for _ in range(1000))


def test_a_quota_that_comes_later_counts_what_was_before():
    """A switch that is set while requests come regards the last minute, too."""
    quota = ReadQuota()
    quota.take(0, 0)

    assert not quota.take(1, 1)
