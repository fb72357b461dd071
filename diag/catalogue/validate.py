"""Is a user's catalogue right? Every problem at once, each with its line and what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain

from diag.catalogue.agreement import check_agreement
from diag.catalogue.document import Document, read_document
from diag.catalogue.entries import CatalogueEntry, list_entries
from diag.catalogue.form import check_form
from diag.catalogue.load import lay_over, load_packaged
from diag.catalogue.samples import check_messages, check_samples
from diag.errors import DataError
from diag.model.catalogue import Catalogue
from diag.model.catalogue_report import CatalogueReport, FileCount, Problem

Clean = Callable[[str], str]
"""What redaction makes of a message: lines are looked up after it."""


def validate_files(files: Iterable[str], clean: Clean = str) -> CatalogueReport:
    """The problems of `files`, which are read as one catalogue over the packaged one."""
    documents = [read_document(name) for name in dict.fromkeys(files)]
    readable = [one for one in documents if one.unreadable is None]
    problems = [one.unreadable for one in documents if one.unreadable is not None]
    form = {document.name: list(check_form(document)) for document in readable}
    problems += (problem for found in form.values() for _, problem in found)
    entries = [
        entry
        for document in readable
        for entry in list_entries(document, frozenset(path for path, _ in form[document.name]))
    ]
    problems += _check_together([one for one in readable if not form[one.name]], entries, clean)
    problems.sort(key=lambda one: ([d.name for d in documents].index(one.file), one.line, one.text))
    return CatalogueReport(tuple(_count(one, entries) for one in readable), tuple(dict.fromkeys(problems)))


def load_catalogue(files: Sequence[str] = ()) -> Catalogue:
    """The packaged catalogue with `files` laid over it; raises `DataError` for the first problem."""
    if not files:
        return load_packaged()
    report = validate_files(files)
    if report.problems:
        first, more = report.problems[0], len(report.problems) - 1
        place = f"{first.file}:{first.line}" if first.line else first.file
        others = f"; {more} more: diag catalogue validate {first.file}" if more else ""
        raise DataError(f"{place}: {first.text}", hint=f"{first.remedy}{others}")
    documents = [read_document(name) for name in dict.fromkeys(files)]
    return lay_over(load_packaged(), documents, list(chain.from_iterable(map(list_entries, documents))))


def _check_together(
    sound: Sequence[Document], entries: Sequence[CatalogueEntry], clean: Clean
) -> Iterator[Problem]:
    """What only shows where everything stands side by side; files of a wrong form count by their lines."""
    base = load_packaged()
    catalogue = lay_over(base, sound, entries)
    yield from check_agreement(sound, base)
    yield from check_messages(entries, clean)
    yield from check_samples(entries, catalogue, clean)


def _count(document: Document, entries: Iterable[CatalogueEntry]) -> FileCount:
    own = [entry for entry in entries if entry.document is document]
    ids = document.table.get("ids", {})
    keys = [keys for keys in ids.values() if isinstance(keys, list)] if isinstance(ids, dict) else []
    exact = sum(entry.pattern is None for entry in own)
    return FileCount(document.name, exact, len(own) - exact, sum(map(len, keys)))
