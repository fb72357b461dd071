"""The catalogue as a value: what services log, under which keys IDs stand, how services are called."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one message means.

    Attributes:
        text: the exact message, or how the pattern is shown.
        service: who writes it.
        event: the canonical event, ``log`` where the line marks no step.
        eras: in which versions of the services it exists (``A``, ``B``, ``C``, ``fixed``).
        attributes: what the message itself says (``{"origin": "header"}``).
        shows: the payload fields worth a place in a timeline.
    """

    text: str
    service: str
    event: str
    eras: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict)
    shows: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that is known of the services' logs.

    Attributes:
        exact: message -> its meanings, one per service that writes it.
        patterns: for messages with a value inside; named groups become attributes.
        id_roles: payload key -> role (see `IdMention`).
        content_keys: payload keys that hold what was said.
        aliases: how a service may be called (container, app label, logger) -> its name.
        sides: service -> ``media``, ``orchestrator``, ``stt``, ``llm``, ``tts``, ...
    """

    exact: Mapping[str, tuple[Meaning, ...]]
    patterns: tuple[tuple[re.Pattern[str], Meaning], ...]
    id_roles: Mapping[str, str]
    content_keys: frozenset[str]
    aliases: Mapping[str, str]
    sides: Mapping[str, str]

    def find(self, message: str, service: str = "") -> tuple[Meaning, Mapping[str, str]] | None:
        """What `message` means and its attributes; the meaning of the same service is preferred."""
        known = self.exact.get(message)
        if known:
            meaning = next((one for one in known if one.service == service), known[0])
            return meaning, meaning.attributes
        for pattern, meaning in self.patterns:
            match = pattern.match(message)
            if match is not None:
                return meaning, {**meaning.attributes, **{k: v for k, v in match.groupdict().items() if v}}
        return None

    def service_of(self, message: str) -> str:
        """Who writes `message`, if exactly one service does; else empty."""
        services = {meaning.service for meaning in self.exact.get(message, ())}
        return services.pop() if len(services) == 1 else ""

    def messages_of(self, *events: str) -> tuple[str, ...]:
        """The exact messages of these canonical events, sorted."""
        return tuple(
            sorted(text for text, known in self.exact.items() if any(one.event in events for one in known))
        )

    def keys_of(self, *roles: str) -> tuple[str, ...]:
        """The payload keys of these roles, in the catalogue's order."""
        return tuple(key for key, role in self.id_roles.items() if role in roles)
