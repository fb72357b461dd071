"""The list of evidence: each reference once, numbered, so that statements can point to it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from diag.model.code import REPOSITORY
from diag.model.findings import Evidence
from diag.model.instants import format_instant
from diag.model.log_resources import LogResource
from diag.model.manifests import SLUG as MANIFESTS
from diag.render.console import link_to_entry
from diag.render.neutral import to_code

_LETTERS = {"kafka": "K", "kubernetes": "C", REPOSITORY: "G", MANIFESTS: "M"}
_COVERAGE = "coverage/"


@dataclass(frozen=True, slots=True)
class Numbered:
    """One line of the list, ready for the template."""

    label: str
    time: str
    ref: str
    text: str


class EvidenceIndex:
    """Numbers evidence as it is cited, by first use.

    ``E`` is for log entries, ``K`` for Kafka, ``C`` for the cluster, ``G`` for code, ``M`` for manifests.
    With the projects and views that hold the entries, each links to its line in Google's console.
    """

    def __init__(self, logs: Sequence[LogResource] = ()) -> None:
        self._logs = logs
        self._labels: dict[tuple[str, str], str] = {}
        self._cited: list[tuple[str, Evidence]] = []

    def cite(self, evidence: Iterable[Evidence], most: int = 6) -> str:
        """``[E1] [E4]``; what coverage itself shows is ``(coverage)``; empty without evidence."""
        cited = list(evidence)
        labels = list(dict.fromkeys(self._label(one) for one in cited[:most]))
        more = f" and {len(cited) - most} more" if len(cited) > most else ""
        return " ".join(labels) + more

    def _label(self, one: Evidence) -> str:
        if one.ref.startswith(_COVERAGE):
            return "(coverage)"
        # a line without an insert ID may share its reference; then the text tells them apart
        key = (one.ref, one.text)
        if key not in self._labels:
            letter = _LETTERS.get(one.source, "E")
            number = sum(label[0] == letter for label, _ in self._cited) + 1
            self._labels[key] = f"[{letter}{number}]"
            self._cited.append((f"{letter}{number}", one))
        return self._labels[key]

    def listed(self) -> tuple[Numbered, ...]:
        """Everything cited so far, by label."""
        order = sorted(self._cited, key=lambda cited: (cited[0][0], int(cited[0][1:])))
        return tuple(
            Numbered(
                label,
                format_instant(one.time_ns, 3) if one.time_ns else "",
                self._link(one),
                to_code(one.text),
            )
            for label, one in order
        )

    def _link(self, one: Evidence) -> str:
        address = link_to_entry(one, self._logs)
        return f"[{to_code(one.ref)}]({address})" if address else to_code(one.ref)

    def insert_ids(self) -> tuple[str, ...]:
        """The insert IDs of the cited entries, for a query that shows them again."""
        return tuple(
            one.ref.rpartition("#")[2] for label, one in self._cited if label[0] == "E" and "#" in one.ref
        )
