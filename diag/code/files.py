"""What kind of file a path names, and whose it is."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import cache
from pathlib import PurePosixPath


class Kind(IntEnum):
    """What stands in a file; the less, the likelier it is where a line is written."""

    CODE = 0
    DATA = 1
    WORDS = 2


_CODE = re.compile(
    r"\.(?:c|cc|clj|cpp|cs|dart|erl|exs?|go|h|hpp|java|jsx?|kts?|lua|mjs|php|pl|pyx?|rb|rs|scala|sh|swift|tsx?|vue)$"
)
_WORDS = re.compile(r"(?:^|/)[^.]+$|\.(?:adoc|case|css|csv|html|log|md|ndjson|rst|svg|txt)$")
_TEST = re.compile(
    r"(?:^|/)(?:tests?|testdata|__tests__|spec|fixtures|vectors|examples?)/|(?:^|/)(?:test_|conftest)[^/]*$"
    r"|(?:_test|\.test|\.spec)\.\w+$"
)
_FOREIGN = re.compile(r"(?:^|/)(?:vendor|node_modules|third_party|dist|site-packages)/")
_NO_LETTER = re.compile(r"[^a-z0-9]+")


@cache
def kind_of(path: str) -> Kind:
    """By the name alone."""
    name = PurePosixPath(path).name.lower()
    return Kind.CODE if _CODE.search(name) else Kind.WORDS if _WORDS.search(name) else Kind.DATA


@cache
def is_test(path: str) -> bool:
    """Tests and examples, which repeat what code writes."""
    return _TEST.search(path) is not None


@cache
def is_foreign(path: str) -> bool:
    """Code of others that lies beside one's own."""
    return _FOREIGN.search(path) is not None


@cache
def belongs_to(path: str, service: str) -> bool:
    """Whether a folder or file is called like the service, however it is spelt."""
    name = _NO_LETTER.sub("", service.lower())
    parts = (_NO_LETTER.sub("", part) for part in PurePosixPath(path.lower()).with_suffix("").parts)
    return bool(name) and any(part == name or name.removesuffix("service") == part for part in parts)
