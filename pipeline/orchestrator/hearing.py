"""Whether what callers say arrives here. Pure.

A member of a group that has joined before its topic was there, or keeps its place while the topic is made
anew, reads nothing until the group assigns partitions again; the topic alone is no proof.
"""

from __future__ import annotations


class Hearing:
    """What is known of the way from the media servers to this orchestrator.

    Attributes:
        able: what was judged last.
    """

    def __init__(self) -> None:
        self.able = False
        self._assigned_without_topic = 0

    def judge(self, *, connected: bool, topic_there: bool, joined: bool, assignments: int) -> bool:
        """To be asked often; `assignments`: how many times the group has given out partitions, maybe none."""
        if connected and not topic_there:
            self._assigned_without_topic = assignments
        self.able = connected and topic_there and joined and assignments > self._assigned_without_topic
        return self.able
