"""Can every entry be hit? Exact messages are their own samples; patterns carry some."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from diag.catalogue.entries import CatalogueEntry
from diag.model.catalogue import Catalogue, Meaning
from diag.model.catalogue_report import Problem

_Clean = Callable[[str], str]
_LONGEST_SHOWN = 80


def check_messages(entries: Sequence[CatalogueEntry], clean: _Clean) -> Iterator[Problem]:
    """Entries that stand twice, and messages that no line can ever equal."""
    seen: dict[tuple[str, str], CatalogueEntry] = {}
    for entry in entries:
        text = entry.pattern.pattern if entry.pattern else entry.meaning.text
        first = seen.setdefault((entry.meaning.service, text), entry)
        what = "pattern" if entry.pattern else "message"
        if first is not entry:
            yield _problem(entry, f"the {what} is at {first.place} already", "remove one of the two")
        if entry.pattern is not None and entry.pattern.match("") is not None:
            yield _problem(
                entry, "the pattern matches every line", "begin it with ^ and words of the message"
            )
        elif entry.pattern is None and text != text.strip():
            yield _problem(entry, "white space around a message is taken off lines", "write it without")
        elif entry.pattern is None and clean(text) != text:
            yield _problem(entry, "redaction changes this message", "make it a pattern for what varies")


def check_samples(
    entries: Sequence[CatalogueEntry], catalogue: Catalogue, clean: _Clean
) -> Iterator[Problem]:
    """Samples that their own pattern does not match, or that another entry catches first."""
    for entry in entries:
        for place, sample in enumerate(entry.meaning.samples if entry.pattern else ()):
            message = clean(sample.strip())
            path = (*entry.path, "samples", place)
            if entry.pattern is not None and entry.pattern.match(message) is None:
                yield entry.document.problem(
                    path, f"the pattern does not match its sample {_cut(message)!r}", "correct one of the two"
                )
                continue
            found = catalogue.find(message, entry.meaning.service)
            if found is not None and found[0] is not entry.meaning:
                yield entry.document.problem(
                    path,
                    f"the sample {_cut(message)!r} is caught by {_describe(found[0], entries)}",
                    "narrow that one, or put this one before it",
                )


def _problem(entry: CatalogueEntry, text: str, remedy: str) -> Problem:
    return entry.document.problem(entry.path, text, remedy)


def _describe(meaning: Meaning, entries: Sequence[CatalogueEntry]) -> str:
    other = next((entry for entry in entries if entry.meaning is meaning), None)
    where = other.place if other else f"the packaged catalogue ({meaning.service or 'any service'})"
    return f"{_cut(meaning.text)!r} at {where}" if other else f"{_cut(meaning.text)!r} of {where}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."
