"""The five classes of trouble that reports of this kind are about, by what was checked."""

from __future__ import annotations

from collections.abc import Iterator

from diag.model.diagnosis import Diagnosis
from diag.render.markdown.code import VALIDATION, explain_missing, judge_claim
from diag.render.markdown.evidence import EvidenceIndex
from diag.render.markdown.manifests import state_drift
from diag.render.markdown.statements import Statement, absence

_NO_NAMES = "*not checked: names in code are not compared; `id-mismatch` tells what such a mix-up does*"


def known_issues(diagnosis: Diagnosis, index: EvidenceIndex) -> Iterator[Statement]:
    """A row for each class, in the order in which users write them."""
    code = diagnosis.code
    yield Statement("Variable name conflicts", "", _NO_NAMES if code else explain_missing(diagnosis))
    for subject, slug in (
        ("Session ID generation", "id-malformed"),
        ("Session mapping logic", "id-mismatch"),
    ):
        yield Statement(subject, f"`{slug}`", *absence(diagnosis, index, slug, "not seen"))
    validated = judge_claim(code, VALIDATION, index) if code else (explain_missing(diagnosis), "")
    yield Statement("Session ID validation", "", *validated)
    for one in state_drift(diagnosis, index):
        yield Statement("Deployment", one.claim, one.result, one.evidence)
