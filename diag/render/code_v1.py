"""What a repository says, in the machine's output."""

from __future__ import annotations

from typing import Any

from diag.model.code import CodeFacts, CodePlace, Commit, FileFact, FunctionFact, WrittenText
from diag.model.instants import format_instant

Json = dict[str, Any]


def code_to_json(facts: CodeFacts) -> Json:
    """The commit, the texts that were found or looked for, functions and files."""
    return {
        "commit": _commit(facts.commit),
        "branch": facts.branch or None,
        "changed_files": facts.changed,
        "bare": facts.bare,
        "shallow": facts.shallow,
        "files_searched": facts.searched,
        "texts": [_text(one) for one in facts.texts],
        "functions": [_function(one) for one in facts.functions],
        "files": [_file(one) for one in facts.files],
    }


def _commit(commit: Commit) -> Json:
    return {"hash": commit.hash, "time": format_instant(commit.time_ns), "subject": commit.subject}


def _text(written: WrittenText) -> Json:
    return {
        "text": written.log.text,
        "service": written.log.service,
        "event": written.log.event,
        "places": [_place(one) for one in written.places],
        "listed": _place(written.listed) if written.listed else None,
        "called": written.key or None,
        "other_places": written.others,
    }


def _function(function: FunctionFact) -> Json:
    return {
        "name": function.name.text,
        "asked_by": function.asked,
        "definitions": [_place(one) for one in function.definitions],
        "callers": [_place(one) for one in function.callers],
        "callers_in_tests": function.from_tests,
        "same_name_used": [_place(one) for one in function.elsewhere],
        "unreached": function.unreached,
        "called_outside": function.called_outside or None,
    }


def _file(file: FileFact) -> Json:
    return {
        "path": file.path,
        "blob": file.blob or None,
        "last_commit": _commit(file.last) if file.last else None,
    }


def _place(place: CodePlace) -> Json:
    return {"ref": place.ref, "function": place.function or None, "by": place.means.value}
