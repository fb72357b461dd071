"""The waits between the restarts of what keeps ending: each twice as long as the one before."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RestartPolicy:
    """When a container that has ended is started again.

    Attributes:
        first_s: the wait before the second restart in a row; doubles with each further one.
        longest_s: the wait never grows beyond this (the kubelet: 300 s).
        stable_s: a run at least this long forgives what was before (the kubelet: 600 s).
        grace_s: between SIGTERM and SIGKILL.
    """

    first_s: float = 1.0
    longest_s: float = 30.0
    stable_s: float = 10.0
    grace_s: float = 5.0


@dataclass(slots=True)
class BackOff:
    """The waits of one container, or of one image.

    Attributes:
        policy: how long they are.
        free: how many attempts in a row come at once: the kubelet's first restart of a container
            does, its second attempt to pull an image does not.
    """

    policy: RestartPolicy
    free: int = 1
    _unstable: int = field(default=0, init=False)

    def wait_s(self, ran_s: float) -> float:
        """Seconds to wait after a run that took `ran_s`."""
        if ran_s >= self.policy.stable_s:
            self._unstable = 0
        doublings, self._unstable = self._unstable - self.free, self._unstable + 1
        if doublings < 0:
            return 0.0
        return min(self.policy.longest_s, self.policy.first_s * 2.0**doublings)
