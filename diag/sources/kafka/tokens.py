"""Tokens for OAUTHBEARER: fetched before the broker is asked, and kept until shortly before they expire."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiokafka.abc import AbstractTokenProvider

from diag.errors import SourceError

_SPARE_S = 60.0
_FORM = re.compile(r"[!-~]+")
"""What can stand in a bearer token, and end no field of SASL's message."""


@dataclass(frozen=True, slots=True, repr=False)
class Token:
    """A token that was given; it is a secret, so it has no `repr`.

    Attributes:
        text: as the broker wants it.
        expires: seconds since the epoch.
    """

    text: str
    expires: float


class Tokens(AbstractTokenProvider):  # type: ignore[misc]  # the library has no types
    """The provider that the library asks for each connection.

    Args:
        fetch: gives a token, blocking, in bounded time; raises `SourceError`.
    """

    def __init__(self, fetch: Callable[[], Token]) -> None:
        self._fetch = fetch
        self._token: Token | None = None

    async def token(self) -> str:
        """A token that is good for some time; raises `SourceError` if none is given."""
        if self._token is None or self._token.expires - _SPARE_S < time.time():
            token = await asyncio.to_thread(self._fetch)
            if not _FORM.fullmatch(token.text):
                raise SourceError(
                    "Kafka: what was given for OAUTHBEARER is no token", hint="check kafka.oauth_endpoint"
                )
            self._token = token
        return self._token.text
