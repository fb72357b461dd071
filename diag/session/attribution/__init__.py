"""Which lines that name no session are one session's all the same.

They are taken for its own by a connection that several sessions used one after another, by a stage that ran
on their pod, by the line right before or behind them. This is never proof: what is attributed is shown in
the timeline, apart from the session's own events, and no check, turn or link knows it. Where another
session, or another turn of this one, fits as well, it is ambiguous; where nothing fits, it is nobody's.
"""

from diag.session.attribution.around import PLACING_EVENTS, RUN_EVENTS
from diag.session.attribution.find import find_attributed

__all__ = ["PLACING_EVENTS", "RUN_EVENTS", "find_attributed"]
