"""The catalogue as a value: what services log, under which keys IDs stand, how services are called."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from diag.model.identifiers import Identifier, IdKind, classify

SIDES = ("media", "orchestrator", "stt", "llm", "tts", "results", "broker", "frontend")
"""The parts that a voice agent has; each service stands on one side."""

LEVELS = ("debug", "info", "warning", "error", "fatal")
"""How bad a line can call itself."""

STAGES = ("stt", "llm", "tts")
"""What a turn may pass through; each has a service on the side of its name."""

ID_ROLES = ("session", "media", "frontend", "connection", "turn", "trace", "other")
"""What an ID key can hold (see `IdMention`)."""

FORM_KINDS: Mapping[str, IdKind] = {"session": IdKind.OWN, "connection": IdKind.CONNECTION}
"""Role whose IDs a catalogue may describe by form -> the kind of an ID that fits."""

Pattern = tuple[re.Pattern[str], "Meaning"]

ATTRIBUTION: Mapping[str, str] = {
    "stage": "a stage, stt, llm or tts",
    "before": "an event",
    "after": "an event",
    "request": "",
    "pod": "",
}
"""How a line without a session may be attributed -> what stands behind the colon: ``stage:llm``, ``pod``.

``stage:S``: it is written while stage S runs, on the pod that runs it or by the stage's own service.
``before:E``, ``after:E``: right before or after a line of event E on its pod.
``request``: while its pod works on what a WebSocket asked for (event ``ws.request``).
``pod``: it concerns the whole process, and so every session that the pod serves.
"""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one message means.

    Attributes:
        text: the exact message, or how the pattern is shown.
        service: who writes it; empty: any service.
        event: the canonical event, ``log`` where the line marks no step.
        eras: in which versions of the services it exists (``A``, ``B``, ``C``, ``fixed``).
        attributes: what the message itself says (``{"origin": "header"}``).
        shows: the payload fields worth a place in a timeline.
        samples: messages that a pattern must match; an exact message is its own sample.
        level: what the line itself is worth, where the entry's level tells only its stream; else empty.
        attributed: how a line that names no session is told to be of one (see `ATTRIBUTION`).
        same: its fields -> the fields of the session's own lines that hold the same.
        code: where in the services' repository it is written, ``FILE:FUNCTION``; empty: it is looked for.
    """

    text: str
    service: str
    event: str
    eras: frozenset[str] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict)
    shows: tuple[str, ...] = ()
    samples: tuple[str, ...] = ()
    level: str = ""
    attributed: str = ""
    same: Mapping[str, str] = field(default_factory=dict)
    code: str = ""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All that is known of the services' logs.

    Attributes:
        exact: message -> its meanings, one per service that writes it; a user's stand first.
        patterns: for messages with a value inside; named groups become attributes, and IDs where the
            group is called like an ID key. A user's stand first.
        id_roles: payload key -> role (see `IdMention`); a nested key may be given with dots.
        content_keys: payload keys that hold what was said.
        aliases: how a service may be called (container, app label, logger) -> its name.
        sides: service -> one of `SIDES`.
        id_forms: role -> how its IDs look, for IDs that diag does not know by itself.
        id_patterns: those of `patterns` with a group that is called like an ID key.
    """

    exact: Mapping[str, tuple[Meaning, ...]]
    patterns: tuple[Pattern, ...]
    id_roles: Mapping[str, str]
    content_keys: frozenset[str]
    aliases: Mapping[str, str]
    sides: Mapping[str, str]
    id_forms: Mapping[str, tuple[re.Pattern[str], ...]] = field(default_factory=dict)
    id_patterns: tuple[re.Pattern[str], ...] = ()

    def find(self, message: str, service: str = "") -> tuple[Meaning, Mapping[str, str]] | None:
        """What `message` means and its attributes; the meaning of the same service is preferred."""
        known = self.exact.get(message)
        if known:
            meaning = next((one for one in known if one.service == service), known[0])
            return meaning, meaning.attributes
        found = list(self._matching(message, service))
        if not found:
            return None
        match, meaning = found[-1] if found[-1][1].service == service else found[0]
        return meaning, {**meaning.attributes, **{k: v for k, v in match.groupdict().items() if v}}

    def _matching(self, message: str, service: str) -> Iterator[tuple[re.Match[str], Meaning]]:
        """The patterns that match, up to the first one of the same service."""
        for pattern, meaning in self.patterns:
            match = pattern.match(message)
            if match is not None:
                yield match, meaning
                if meaning.service == service:
                    return

    def ids_in_message(self, message: str) -> Iterator[tuple[str, str, str]]:
        """Role, key and text of each ID that a pattern's groups take out of `message`."""
        for pattern in self.id_patterns:
            match = pattern.match(message)
            for key, text in match.groupdict().items() if match else ():
                if text and key in self.id_roles:
                    yield self.id_roles[key], key, text

    def classify(self, text: str) -> Identifier:
        """What `text` is by its form: diag's own grammars first, then the catalogue's forms."""
        found = classify(text)
        if found.kind is not IdKind.MALFORMED:
            return found
        for role, forms in self.id_forms.items():
            if any(form.fullmatch(text) for form in forms):
                return replace(found, kind=FORM_KINDS[role])
        return found

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
