"""Made-up secrets of twenty kinds, and every place of a log entry that may hold one."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any
from urllib.parse import quote

WORD = string.ascii_letters + string.digits
CITIES = ("Lindenallee", "Rue Montorgueil", "Elm Street", "Via Garibaldi")
WORDS = [
    "about",
    "again",
    "balance",
    "because",
    "coffee",
    "daughter",
    "garden",
    "hospital",
    "kitchen",
    "lawyer",
    "morning",
    "number",
    "window",
]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of what must not be seen.

    Attributes:
        make: a new one.
        key: under which services log it.
        tells: its own form gives it away, so that it may stand anywhere.
    """

    name: str
    make: Callable[[Random], str]
    key: str
    tells: bool = True


@dataclass(frozen=True, slots=True)
class Planted:
    """A secret where it stands."""

    kind: Kind
    text: str
    place: str
    fields: Mapping[str, Any]

    @property
    def spellings(self) -> tuple[str, ...]:
        """As it may come out: itself, in a URL, in JSON."""
        inner = json.dumps(self.text)[1:-1]
        return tuple(dict.fromkeys((self.text, quote(self.text, safe=""), inner)))


def _some(random: Random, length: int, letters: str = WORD) -> str:
    return "".join(random.choice(letters) for _ in range(length))


def _digits(random: Random, length: int) -> str:
    return _some(random, length, string.digits)


def _jwt(random: Random) -> str:
    parts = ({"alg": "RS256"}, {"sub": _some(random, 12)}, None)
    coded = [_some(random, 40) if part is None else _base64(json.dumps(part)) for part in parts]
    return ".".join(coded)


def _base64(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _card(random: Random) -> str:
    first = "4" + _digits(random, 14)
    doubled = [sum(divmod(int(one) * (2 - place % 2), 10)) for place, one in enumerate(first)]
    return first + str(-sum(doubled) % 10)


def _iban(random: Random) -> str:
    account = _digits(random, 18)
    return f"DE{98 - int(f'{account}131400') % 97:02d}{account}"


def _key_block(random: Random) -> str:
    return f"-----BEGIN PRIVATE KEY-----\n{_some(random, 64)}\n{_some(random, 64)}\n-----END PRIVATE KEY-----"


def _pairs(random: Random, count: int) -> str:
    return ":".join(_some(random, 2, "0123456789ABCDEF") for _ in range(count))


def _said(random: Random) -> str:
    return " ".join(random.choice(WORDS) for _ in range(6))


def _password(random: Random) -> str:
    return _some(random, 8) + _digits(random, 2) + _some(random, 4)


KINDS = (
    Kind("access token of Google", lambda r: f"ya29.{_some(r, 40)}", "credential"),
    Kind("API key of Google", lambda r: f"AIza{_some(r, 35)}", "apiKey"),
    Kind("token of GitHub", lambda r: f"ghp_{_some(r, 36)}", "token"),
    Kind("token of Slack", lambda r: f"xoxb-{_digits(r, 11)}-{_some(r, 24)}", "slackToken"),
    Kind("key of Stripe", lambda r: f"sk_live_{_some(r, 24)}", "secretKey"),
    Kind("key of a model's service", lambda r: f"sk-{_some(r, 48)}", "OPENAI_API_KEY"),
    Kind("key ID of AWS", lambda r: f"AKIA{_some(r, 16, string.ascii_uppercase)}", "access_key_id"),
    Kind("JWT", _jwt, "jwt"),
    Kind("private key", _key_block, "private_key"),
    Kind("password", _password, "password", tells=False),
    Kind("cookie", lambda r: f"sid={_some(r, 24)}; csrf={_some(r, 12)}", "Set-Cookie", tells=False),
    Kind("credential of TURN", lambda r: _some(r, 24), "turnCredential", tells=False),
    Kind("phone number", lambda r: f"+49{_digits(r, 10)}", "caller"),
    Kind("e-mail address", lambda r: f"{_some(r, 8)}@{_some(r, 6).lower()}.example.com", "email"),
    Kind("IPv4 address", lambda r: f"203.0.{r.randint(100, 255)}.{r.randint(100, 255)}", "clientIp"),
    Kind("IPv6 address", lambda r: f"2001:db8:{_some(r, 4, 'abcdef')}:{_some(r, 4, 'abcdef')}::17", "peer"),
    Kind("MAC address", lambda r: _pairs(r, 6), "mac"),
    Kind("IBAN", _iban, "iban"),
    Kind("card number", _card, "card"),
    Kind("fingerprint of a certificate", lambda r: _pairs(r, 32), "fingerprint"),
    Kind("words that were said", _said, "transcript", tells=False),
    Kind("street", lambda r: f"{r.choice(CITIES)} {r.randint(100, 999)}", "customer_address", tells=False),
)

_KEYED: Mapping[str, Callable[[str, str], dict[str, Any]]] = {
    "field": lambda key, text: {key: text},
    "nested field": lambda key, text: {"request": {"context": {key: text}}},
    "list": lambda key, text: {"items": [{"n": 1}, {key: text}]},
    "list under the key": lambda key, text: {key: [text, text]},
    "JSON as a text": lambda key, text: {"rawMessage": json.dumps({"type": "x", key: text})},
    "JSON in JSON as a text": lambda key, text: {
        "rawMessage": json.dumps({"inner": json.dumps({key: text})})
    },
    "message that ends in JSON": lambda key, text: {"msg": f"Received message: {json.dumps({key: text})}"},
    "error with JSON": lambda key, text: {"error": f"unexpected body: {json.dumps({key: text})}"},
    "record's headers": lambda key, text: {
        "headers": [{"key": "trace", "value": "1"}, {"key": key, "value": text}]
    },
    "URL": lambda key, text: {"url": f"https://api.example.com/v1/x?a=1&{key}={quote(text, safe='')}&b=2"},
}
_FREE: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "message": lambda text: {"msg": f"Refused {text} of the client"},
    "message, quoted": lambda text: {"msg": f'Refused "{text}": wrong'},
    "error": lambda text: {"error": f"dial failed: {text}: i/o timeout"},
    "plain field": lambda text: {"detail": text},
    "stack trace": lambda text: {"stack": f"Error: bad\n    at f ({text})\n    at main.go:12"},
    "URL's path": lambda text: {"url": f"https://api.example.com/v1/{quote(text, safe='')}/x"},
    "key": lambda text: {"seen": {text: 1}},
    "in brackets": lambda text: {"msg": f"values=[{text}] ({text})"},
}
_SDP = {
    "IPv4 address": "candidate:1 1 udp 2130706431 {} 50000 typ srflx raddr 0.0.0.0 rport 0",
    "IPv6 address": "candidate:1 1 udp 2130706431 {} 50000 typ host",
    "fingerprint of a certificate": "fingerprint:sha-256 {}",
    "credential of TURN": "ice-pwd:{}",
}


def plant(random: Random, count: int) -> Iterator[Planted]:
    """So many secrets, kind after kind, each in a place that such a one may stand in."""
    for number in range(count):
        kind = KINDS[number % len(KINDS)]
        text = kind.make(random)
        places = _places_of(kind, text)
        place = random.choice(sorted(places))
        yield Planted(kind, text, place, places[place])


def _places_of(kind: Kind, text: str) -> dict[str, dict[str, Any]]:
    places = {place: write(kind.key, text) for place, write in _KEYED.items()}
    if kind.tells:
        places |= {place: write(text) for place, write in _FREE.items()}
    if kind.name in _SDP:
        line = _SDP[kind.name].format(text)
        places["SDP"] = {
            "sdp": f"v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\na={line}\r\na=rtpmap:111 opus/48000/2\r\n"
        }
    return places
