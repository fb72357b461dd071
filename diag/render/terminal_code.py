"""The code in the terminal view: the commit, and where the lines that matter are written."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from rich.text import Text

from diag.model.code import CodeFacts, WrittenText
from diag.model.diagnosis import Diagnosis
from diag.model.session import Attribution
from diag.render.code import count_written, describe_age, describe_head, describe_place
from diag.render.neutral import to_plain

_WIDTH = 80
_MOST_PLACES = 3
_MOST_DIFFERENCES = 5


def code_lines(diagnosis: Diagnosis) -> Iterator[Text]:
    """A few lines; none where no repository was read."""
    facts = diagnosis.code
    if facts is None:
        return
    yield Text("CODE", style="bold")
    yield from _wrap(f"{describe_head(facts)}; {describe_age(facts, diagnosis.session)}")
    found, sought = count_written(facts, diagnosis.session)
    if sought:
        yield from _wrap(f"{found} of the session's {sought} texts were found in it")
    for text, where in _find_telling(diagnosis, facts):
        yield from _wrap(f"{text}: {where}")


def drift_lines(diagnosis: Diagnosis) -> Iterator[Text]:
    """How the cluster differs from the manifests; nothing where it does not, or one of both was not read."""
    differences = diagnosis.drift.differences if diagnosis.drift else ()
    if not differences:
        return
    yield Text("MANIFESTS", style="bold").append("   the cluster differs from them now", style="not bold dim")
    for one in differences[:_MOST_DIFFERENCES]:
        sides = f": {one.wanted or '-'} in the file, {one.live or '-'} live" if one.wanted or one.live else ""
        yield from _wrap(f"{one.kind}/{one.name}: {one.what}{sides} ({one.file_ref or one.live_ref})")
    if len(differences) > _MOST_DIFFERENCES:
        yield Text(f"  ... {len(differences) - _MOST_DIFFERENCES} more in the report", style="dim")


def _find_telling(diagnosis: Diagnosis, facts: CodeFacts) -> Iterator[tuple[str, str]]:
    """The lines that show the chief cause or, without one, the symptom: each text once."""
    cause = diagnosis.verdict.cause
    shown = cause.supporting if cause else [e for one in diagnosis.findings for e in one.evidence]
    refs, told = {one.ref for one in shown}, set[WrittenText]()
    for one in diagnosis.session.timeline:
        entry = one.event.entry if isinstance(one, Attribution) else one.entry
        written = facts.find(entry) if entry.ref in refs else None
        if written is not None and written.places and written not in told and len(told) < _MOST_PLACES:
            told.add(written)
            yield written.log.text, describe_place(written.places[0])


def _wrap(text: str) -> Iterator[Text]:
    lines = textwrap.wrap(
        to_plain(text), _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )
    return map(Text, lines)
