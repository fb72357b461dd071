"""Probes side by side, each within its own time; what hangs holds up nobody."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from diag.errors import DiagError
from diag.model.checkup import Answer, Health, Probed

_SLICE_S = 0.2
_GOES_ON = (Health.OK, Health.WARNING)


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing to try.

    Attributes:
        ask: tries it; it may raise and may hang.
        within_s: its time, from when it begins.
        after: the probe that must have come out well before; empty if none.
        excused: nobody named it: what fails counts as not asked, with the reason, and nothing as partial.
    """

    name: str
    ask: Callable[[], Answer]
    within_s: float = 10.0
    after: str = ""
    excused: bool = False


class _Run:
    """One probe on its way. Its threads are daemons: the process can end without them."""

    def __init__(self, probe: Probe, before: _Run | None) -> None:
        self._probe, self._before = probe, before
        self._ended = threading.Event()
        self._worker: threading.Thread | None = None
        self._answer: Answer | None = None
        threading.Thread(target=self._conduct, daemon=True).start()

    @property
    def is_unfinished(self) -> bool:
        return self._worker is not None and self._worker.is_alive()

    def wait(self) -> Probed:
        # in slices: Ctrl-C may reach another thread, and then wakes nobody who waits
        while not self._ended.wait(_SLICE_S):
            pass
        assert self._answer is not None  # noqa: S101  it is set before the end is told
        return Probed(self._probe.name, self._answer)

    def _conduct(self) -> None:
        before = self._before.wait() if self._before else None
        if before is not None and before.answer.state not in _GOES_ON:
            how = "failed" if before.answer.state is Health.FAILED else "was not asked"
            self._answer = Answer(Health.NOT_ASKED, f"needs {before.name}, which {how}")
        else:
            self._answer = self._excuse(self._ask_in_time())
        self._ended.set()

    def _ask_in_time(self) -> Answer:
        answers: list[Answer] = []
        self._worker = threading.Thread(target=lambda: answers.append(_ask(self._probe)), daemon=True)
        self._worker.start()
        self._worker.join(self._probe.within_s)
        if answers:
            return answers[0]
        return Answer(
            Health.FAILED,
            f"no answer within {self._probe.within_s:g} s",
            "check the network, the name's resolution and firewalls on the way",
        )

    def _excuse(self, answer: Answer) -> Answer:
        if not self._probe.excused:
            return answer
        if answer.state is not Health.FAILED:
            return replace(answer, partial=False)
        told = f"found in the kubeconfig, not usable: {answer.evidence}"
        return Answer(Health.NOT_ASKED, told, answer.remedy)


def _ask(probe: Probe) -> Answer:
    """Its answer, whatever happens."""
    try:
        return probe.ask()
    except DiagError as error:
        return Answer(Health.FAILED, str(error), error.hint)
    except Exception as error:  # noqa: BLE001  one probe's fault must not cost the others
        what = f"{type(error).__name__}: {error}"
        return Answer(
            Health.FAILED, f"a fault in diag: {what}", "report it with the output of diag --version"
        )


def ask_side_by_side(probes: Sequence[Probe]) -> tuple[tuple[Probed, ...], bool]:
    """Every answer, in the order of `probes`; and whether some work still goes on.

    A probe stands behind the one that it comes after.
    """
    runs: dict[str, _Run] = {}
    for probe in probes:
        runs[probe.name] = _Run(probe, runs[probe.after] if probe.after else None)
    answers = tuple(run.wait() for run in runs.values())
    return answers, any(run.is_unfinished for run in runs.values())
