"""When a probe's results change what is believed of a container. Pure.

Source: Kubernetes, "Configure Liveness, Readiness and Startup Probes", and pkg/kubelet/prober/worker.go.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STARTUP, LIVENESS, READINESS = "startup", "liveness", "readiness"

# what is believed before the first result
_INITIAL = {STARTUP: False, LIVENESS: True, READINESS: False}


@dataclass(slots=True)
class Verdict:
    """What is believed of one container by one probe.

    Attributes:
        kind: the probe's.
        success_threshold: so many successes in a row turn the belief to good.
        failure_threshold: so many failures in a row turn it to bad.
        holds: the belief.
        has_failed: the failures in a row have reached their threshold: a startup probe believes
            nothing good before its first success, and kills only now.
    """

    kind: str
    success_threshold: int = 1
    failure_threshold: int = 3
    holds: bool = field(init=False)
    has_failed: bool = field(default=False, init=False)
    _latest: bool | None = field(default=None, init=False)
    _in_a_row: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.holds = _INITIAL[self.kind]

    def note(self, *, succeeded: bool) -> None:
        """Take one result in."""
        self._in_a_row = self._in_a_row + 1 if succeeded is self._latest else 1
        self._latest = succeeded
        threshold = self.success_threshold if succeeded else self.failure_threshold
        if self._in_a_row >= threshold:
            self.holds = succeeded
            self.has_failed = not succeeded
