from __future__ import annotations

from pipeline.local.cloud_logging.quota import ReadQuota


def test_so_many_in_any_minute():
    """The quota counts over the last 60 seconds, and refused requests cost nothing."""
    quota = ReadQuota()

    assert [quota.take("p", now, 2) for now in (0, 30, 59, 60, 61, 90, 91)] == [
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

    assert all(quota.take("p", 0, 0) for _ in range(1000))


def test_a_quota_that_comes_later_counts_what_was_before():
    """A switch that is set while requests come regards the last minute, too."""
    quota = ReadQuota()
    quota.take("p", 0, 0)

    assert not quota.take("p", 1, 1)


def test_each_project_pays_for_itself():
    """What one project's clients spend is not missing to another's."""
    quota = ReadQuota()

    assert quota.take("media", 0, 1)
    assert not quota.take("media", 1, 1)
    assert quota.take("ai", 1, 1)
