"""Documents -> `Catalogue`: the packaged ones, and a user's own laid over them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

from diag.catalogue.document import Document, parse_document
from diag.catalogue.entries import CatalogueEntry, list_entries
from diag.model.catalogue import Catalogue, Meaning

PACKAGED = (
    "media_server.toml",
    "orchestrator.toml",
    "stt_service.toml",
    "llm_service.toml",
    "tts_service.toml",
    "logging_service.toml",
    "results.toml",
    "any_service.toml",
    "keys.toml",
)

_NOTHING = Catalogue({}, (), {}, frozenset(), {}, {})


@cache
def load_packaged() -> Catalogue:
    """What diag knows by itself."""
    folder = resources.files("diag.catalogue")
    documents = [parse_document(name, folder.joinpath(name).read_bytes()) for name in PACKAGED]
    return lay_over(_NOTHING, documents, [one for document in documents for one in list_entries(document)])


def lay_over(base: Catalogue, documents: Sequence[Document], entries: Sequence[CatalogueEntry]) -> Catalogue:
    """`base` with what `documents` say; where both know something, the documents win.

    Args:
        base: what is known already.
        documents: in a valid form; services, keys and forms are taken from them.
        entries: the messages and patterns of the documents.
    """
    services = {
        name: row for document in documents for name, row in document.table.get("services", {}).items()
    }
    id_roles = {**base.id_roles, **_roles(documents)}
    patterns = (*((one.pattern, one.meaning) for one in entries if one.pattern), *base.patterns)
    return replace(
        base,
        exact=_join_exact(base.exact, [one.meaning for one in entries if one.pattern is None]),
        patterns=patterns,
        id_roles=id_roles,
        content_keys=base.content_keys | {key for one in documents for key in _content_keys(one)},
        aliases={**base.aliases, **_aliases(services)},
        sides={**base.sides, **{name: row["side"] for name, row in services.items() if "side" in row}},
        id_forms=_join_forms(base.id_forms, documents),
        id_patterns=tuple(one for one, _ in patterns if one.groupindex.keys() & id_roles.keys()),
    )


def _join_exact(
    base: Mapping[str, tuple[Meaning, ...]], own: Iterable[Meaning]
) -> Mapping[str, tuple[Meaning, ...]]:
    """An own meaning takes the place of the same service's, and stands before those of others."""
    joined: defaultdict[str, list[Meaning]] = defaultdict(list)
    for meaning in own:
        joined[meaning.text].append(meaning)
    for text, known in base.items():
        services = {meaning.service for meaning in joined.get(text, ())}
        joined[text] += (meaning for meaning in known if meaning.service not in services)
    return {text: tuple(known) for text, known in joined.items()}


def _roles(documents: Iterable[Document]) -> Mapping[str, str]:
    return {
        key: role
        for document in documents
        for role, keys in document.table.get("ids", {}).items()
        for key in keys
    }


def _content_keys(document: Document) -> Sequence[str]:
    found: Sequence[str] = document.table.get("contents", {}).get("keys", ())
    return found


def _aliases(services: Mapping[str, Any]) -> Mapping[str, str]:
    """Lower case, as names are looked up."""
    return {
        alias.lower(): service
        for service, row in services.items()
        for alias in (service, *row.get("aliases", ()))
    }


def _join_forms(
    base: Mapping[str, tuple[re.Pattern[str], ...]], documents: Iterable[Document]
) -> Mapping[str, tuple[re.Pattern[str], ...]]:
    joined = dict(base)
    for document in documents:
        for role, forms in document.table.get("forms", {}).items():
            joined[role] = (*joined.get(role, ()), *map(re.compile, forms))
    return joined
