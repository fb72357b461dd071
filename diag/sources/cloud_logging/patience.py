"""Which refusals pass by themselves, and how long to wait before a request is sent again.

Google's client could do some of it, but the quota counts every request, so all of them go through the budget.
"""

from __future__ import annotations

from google.api_core import exceptions

QUOTA_TRIES = 3
QUOTA_WAIT_S = 20.0
# Projects with many log views answer 403 now and then although the caller may read.
PERMISSION_TRIES = 2
PERMISSION_WAIT_S = 0.5
# A token may end between two pages; a new connection gets a new one.
TOKEN_TRIES = 2
# The service had a minute and did not find it: a second one may profit from what it has at hand by then.
DEADLINE_TRIES = 2
WAITS_S = (0.2, 0.4, 0.8, 1.6, 3.0)
"""Before each try after the first, for what is only unavailable."""


def find_wait(error: Exception, refusals: int) -> float | None:
    """Seconds to wait after so many refusals of this kind; None where asking again is of no use."""
    match error:
        case exceptions.TooManyRequests():
            return QUOTA_WAIT_S * refusals if refusals < QUOTA_TRIES else None
        case exceptions.Forbidden():
            return PERMISSION_WAIT_S if refusals < PERMISSION_TRIES else None
        case exceptions.Unauthenticated():
            return 0.0 if refusals < TOKEN_TRIES else None
        case exceptions.DeadlineExceeded():
            return 0.0 if refusals < DEADLINE_TRIES else None
        case exceptions.ServiceUnavailable() | exceptions.InternalServerError():
            return WAITS_S[refusals - 1] if refusals <= len(WAITS_S) else None
        case _:
            return None
