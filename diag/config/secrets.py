"""Which settings hold what nobody may see."""

from __future__ import annotations

import re
from typing import Any

_SECRET = re.compile(r"password|passphrase|secret|token|credential|private_key|api_key")
_USER = re.compile(r"[^\s/@,]+@")


def is_secret(name: str) -> bool:
    """Whether a setting of this name is never shown, wherever its value stands."""
    return _SECRET.search(name) is not None and not name.endswith("_file")


def to_shown(name: str, value: Any) -> Any:
    """`value` as it may be shown: of a secret that there is one; who logs in by an address is left out."""
    if is_secret(name):
        return "(set)" if value else ""
    if isinstance(value, tuple):
        return tuple(to_shown(name, one) for one in value)
    return _USER.sub("***@", value) if isinstance(value, str) else value
