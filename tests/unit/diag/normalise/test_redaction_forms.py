"""Secrets and personal data that no key announces, and how much work finding them may cost."""

from __future__ import annotations

import time

import pytest

from diag.normalise.redaction import redact_fields, redact_text

FORMS = {
    "Google API key": "AIzaSyD-1234567890abcdefghijklmnopqrstu",
    "Google access token": "ya29.a0AfH6SMBx1234567890",
    "GitHub": "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "GitHub fine-grained": "github_pat_11ABCDEFG0abcdefghij_xyz",
    "Slack": "xoxb-123456789012-abcdefABCDEF",
    "Stripe": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "OpenAI": "sk-proj-abcdefghijklmnop1234",
    "AWS": "AKIAIOSFODNN7EXAMPLE",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "JWT, cut": "eyJhbGciOiJIUzI1NiJ9.eyJzdW",
    "key line": "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj",
    "e-mail": "jane.doe+x@mail.example.co.uk",
    "e-mail in a URL": "jane.doe%40example.com",
    "IPv4": "203.0.113.77",
    "IPv6": "2001:db8:85a3::8a2e:370:7334",
    "IPv6, link-local": "fe80::1",
    "IPv4 in IPv6": "::ffff:203.0.113.77",
    "MAC": "aa:bb:cc:dd:ee:ff",
    "fingerprint": ":".join(["AB"] * 32),
    "E.164": "+4917112345678",
    "E.164 grouped": "+1 (415) 555-2671",
    "00": "0049 171 2345678",
    "trunk zero": "0171 23456789",
    "trunk zero, slash": "0171/2345678",
    "trunk zero, plain": "01712345678",
    "London": "020 7946 0958",
    "France": "01 23 45 67 89",
    "North America": "(415) 555-2671",
    "North America, dashes": "415-555-2671",
    "North America, dots": "415.555.2671",
    "Visa": "4111 1111 1111 1111",
    "Visa, plain": "4111111111111111",
    "Mastercard": "5500-0000-0000-0004",
    "American Express": "378282246310005",
    "IBAN": "DE89370400440532013000",
    "IBAN grouped": "GB29 NWBK 6016 1331 9268 19",
}


@pytest.mark.parametrize("value", FORMS.values(), ids=FORMS.keys())
def test_forms_are_known_alone_and_in_a_sentence(value: str) -> None:
    """At the beginning, at the end, in brackets, quoted, before a comma."""
    assert value not in redact_text(value)
    if len(value) == 64:
        return
    for template in ("peer {}", "{} THEN more", "({})", "'{}'", "x, {}, y", "dialled {}"):
        assert value not in redact_text(template.format(value))


@pytest.mark.parametrize(
    ("text", "stays"),
    [
        ("card 4111 1111 1111 1112", "4111 1111 1111 1112"),
        ("iban DE89370400440532013001", "DE89370400440532013001"),
        ("IBAN BE68539007547034 THIS", "THIS"),
        ("peer 203.0.113.77:5000", ":5000"),
        ("https://user:pw@example.com:8443/x", "@example.com:8443/x"),
    ],
)
def test_checks_decide_what_only_looks_like_it(text: str, stays: str) -> None:
    """Luhn for cards, ISO 13616 for accounts; ports and hosts stay."""
    assert stays in redact_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "amqp://user:pa@ss@host/x",
        "https://abc123@sentry.io/1",
        "root:hunter2@tcp(db:3306)/x",
        "turn:u:p@turn.x",
    ],
)
def test_logins_of_urls_are_gone(text: str) -> None:
    """With a user, with a token alone, of a DSN."""
    assert "<secret>@" in redact_text(text)


CUT = [("", value) for value in FORMS.values() if len(value) != 64] + [
    ("password=", "Zx9k" * 100),
    ('{"transcript":"', "my heart hurts " * 30),
]


@pytest.mark.parametrize(("before", "value"), CUT)
def test_the_cut_leaves_no_half_of_a_secret(before: str, value: str) -> None:
    """Wherever the cut of a long text, or the end of what is read of it, meets a value."""
    pieces = {value[n : n + 7] for n in range(len(value) - 6)}
    for start in (*range(1_950, 2_010), *range(2_250, 2_310)):
        shown = redact_text(f"{'. ' * (start // 2)} {before}{value} so on {'. ' * 900}")

        assert not any(piece in shown for piece in pieces), start


PIECES = [
    *"a1(@:\"\\[{+04Aé/ \n-.=&,;'",
    "1 ", "1-", "a@", "a@b.", "://a", "a:", "password=", '"a":"', "transcript: ", "ab:", "::", "DE89 ", "4111 ", "+1 ",
    "0171 ", "eyJa.", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "sk-", "Bearer ", "address=a,", '{"password":[',
    "from: 1 ", "%40", '\\"password\\":\\"', "text=<", "session_", ".1", 'password: "', 'cookie: ,"', "password=,",
    "password=}", "203.0.", "aa:bb:",
]  # fmt: skip


@pytest.mark.parametrize("piece", PIECES)
def test_hostile_texts_cost_bounded_work(piece: str) -> None:
    """A megabyte of what a form begins with, as a text, a key and under every kind of key."""
    text = piece * (1_000_000 // len(piece))
    start = time.process_time()

    redact_text(text)
    redact_fields(
        {"x": text, "session_id": text, "password": text, "from": text, "address": text, text: 1},
        frozenset({"text"}),
        frozenset({"session_id"}),
    )

    assert time.process_time() - start < 5  # where every form looks on from every place it were minutes


@pytest.mark.parametrize(
    "before", ["with password ", "psql --password ", 'PASSWORD "', "the api key ", "passphrase '"]
)
def test_a_password_that_only_a_space_parts_from_its_word_is_hidden(before: str) -> None:
    """As sentences and command lines have it."""
    assert "hunter2" not in redact_text(f"connected {before}hunter2hunter2 for call 1")


@pytest.mark.parametrize(
    "text",
    [
        "password reset for session_1753615601372_cz4gw0fl5",
        "password 3 times wrong",
        "passwd attempt 5/10",
        "the api key of tenant7 expired",
    ],
)
def test_a_sentence_about_passwords_stays(text: str) -> None:
    """It says what went wrong."""
    assert redact_text(text) == text
