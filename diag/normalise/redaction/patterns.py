"""Secrets and personal data that give themselves away by their form, whatever stands before them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from ipaddress import ip_address
from urllib.parse import unquote

from diag.normalise.redaction.pseudonyms import SECRET, to_pseudonym


def _all(text: str) -> int:
    return len(text)


@dataclass(frozen=True, slots=True)
class Form:
    """How one kind looks.

    Attributes:
        kind: the pseudonym's; empty for a secret.
        pattern: finds candidates; looks at a character a bounded number of times.
        covers: how many characters of a candidate really are of this kind; 0 for none.
    """

    kind: str
    pattern: re.Pattern[str]
    covers: Callable[[str], int] = _all


@dataclass(frozen=True, slots=True)
class Family:
    """Forms that one cheap look rules out together: most texts hold none of what any form begins with.

    Attributes:
        marks: one of these stands in every text that holds one of the forms; none where nothing is so sure.
        gate: finds something in every such text.
    """

    marks: tuple[str, ...]
    gate: re.Pattern[str]
    forms: tuple[Form, ...]

    def may_be_in(self, text: str) -> bool:
        """Whether it is worth a look."""
        for mark in self.marks:
            if mark in text:
                break
        else:
            if self.marks:
                return False
        return self.gate.search(text) is not None


def redact_forms(text: str) -> str:
    """`text` with a pseudonym for all that has a telling form."""
    if _PLAIN.fullmatch(text):
        return text
    for family in FAMILIES:
        if family.may_be_in(text):
            for form in family.forms:
                text = form.pattern.sub(partial(_replace, form), text)
    return text


def _replace(form: Form, match: re.Match[str]) -> str:
    text = match[0]
    length = form.covers(text)
    if not length:
        return text
    return (to_pseudonym(form.kind, text[:length]) if form.kind else SECRET) + text[length:]


def _covers_card(text: str) -> int:
    """All of it if its digits meet Luhn's check (ISO/IEC 7812-1, annex B)."""
    digits = [int(one) for one in text if one.isdigit()]
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return len(text) if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 else 0


def _covers_iban(text: str) -> int:
    """As much of it as meets the check of ISO 13616: the words after an IBAN may look like more of it."""
    for length in range(len(text), 14, -1):
        code = text[:length].replace(" ", "")
        if 15 <= len(code) <= 34 and int("".join(str(int(one, 36)) for one in code[4:] + code[:4])) % 97 == 1:
            return length if text[length - 1] != " " else length - 1
    return 0


def _covers_coded(text: str) -> int:
    """All of it if it is an address or a fingerprint once its colons are read."""
    plain = unquote(text)
    return len(text) if redact_forms(plain) != plain else 0


def _covers_ip(text: str) -> int:
    """All of it if it is an address of another machine: loopback and "any" tell nothing of anybody."""
    if text.endswith(":") and not text.endswith("::"):
        text = text[:-1]  # of the sentence
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return 0
    return (
        0 if address.is_loopback or address.is_unspecified or not any(map(str.isdigit, text)) else len(text)
    )


_HEX_PAIR = r"[0-9A-Fa-f]{2}"
_TOKENS = (
    r"ya29\.[\w.-]{16,}|AIza[\w-]{16,}|1//0[\w-]{16,}|GOCSPX-[\w-]{16,}"  # Google
    r"|gh[oprsu]_\w{16,}|github_pat_\w{16,}|glpat-[\w-]{16,}"
    r"|xox[abeoprs]-[\w-]{10,}|xapp-[\w-]{16,}|(?<=hooks\.slack\.com/services/)[\w/]{16,}"
    r"|(?:sk|rk|pk)_(?:live|test)_\w{10,}|whsec_\w{16,}"  # Stripe
    r"|sk[-_][\w-]{16,}"  # services of models and voices
    r"|(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{12,}|hf_\w{16,}|npm_\w{16,}|pypi-[\w-]{16,}|dop_v1_\w{16,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|(?:SK|AC)[0-9a-f]{32}"  # SendGrid, Twilio
    r"|eyJ[\w+/=-]{8,}(?:\.[\w-]*){0,4}"  # JSON in base64: a JWT, whole or cut
)
_AUTH = r"(?i:(?<=\bbearer )|(?<=\bbasic ))(?=[\w.~+/-]*[0-9A-Z=])[\w.~+/=-]{8,}|(?<=\bufrag )\S+"
# "connected with password hunter2hunter2": no word of a sentence has both a letter and a digit.
_SPOKEN_OF = (
    r"(?i:"
    + "|".join(
        rf"(?<=\b{word} {quote})"
        for word in ("password", "passwd", "passphrase", "api key")
        for quote in ("", "[\"'`]")
    )
    + r")(?=[^\s\d\"'`]{0,64}\d)(?=[^\sA-Za-z\"'`]{0,64}[A-Za-z])[^\s\"'`]{6,}"
)
_LOGIN = (
    r"(?<=://)[^\s/\"'<>]{1,256}(?=@)"  # of a URL, with or without a user
    r"|(?<=\bturn:)[^\s/@]{1,256}(?=@)|(?<=\bturns:)[^\s/@]{1,256}(?=@)"
    r"|[^\s:/@\"']{1,64}:[^\s/@]{1,128}(?=@tcp\(|@unix\()"  # Go's DSN for MySQL
)
_EMAIL = r"(?<![\w.+-])[\w.+-]{1,64}(?:@|%40)(?:[\w-]{1,63}\.){1,8}[A-Za-z]{2,63}\b"
# Four numbers of a version: of a browser, or where it says so. A product of any name could be a host.
_NO_VERSION = "".join(
    rf"(?<!{before})"
    for before in ("Chrome/", "Chromium/", "Edg/", "OPR/", "CriOS/", "ersion/", "ersion ", "ersion=")
)
_IPV4 = _NO_VERSION + r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?!\d|\.\d+\.\d)"
_IPV6 = (
    r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}"
    r"(?:(?<=:)(?:\d{1,3}\.){3}\d{1,3}|(?:\.\d{1,3}){3})?(?:%\w+)?(?![\w:])"  # one colon may follow
)
_MAC = rf"(?<![\w:-]){_HEX_PAIR}(?:(?::{_HEX_PAIR}){{5}}|(?:-{_HEX_PAIR}){{5}})(?![\w-]|:\w)"
# The same in a URL: each colon is %3A there, and each blank of a key's first line %20.
_CODED = r"(?<![\w%.-])(?:[0-9A-Fa-f]{0,4}%3[Aa]){2,31}[0-9A-Fa-f]{0,4}(?![\w%])"
_CODED_KEY = r"-----BEGIN[A-Z0-9%+ ]{0,60}KEY(?:%20BLOCK)?-----[^\s&\"'<>]*"
_IBAN = r"(?<!\w)[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"
_CARD = (
    r"(?<![\w.+-])(?:[2-6]\d{3}(?:[ -]?\d{4}){3}(?:[ -]\d{3})?"
    r"|3[47]\d\d[ -]?\d{6}[ -]?\d{5}|3[068]\d\d[ -]?\d{6}[ -]?\d{4})(?![\w-]|\.\d)"
)
_END = r"(?![\w-]|[.:]\d)"
_PHONES = (
    r"(?<![\w.+])\+\d(?:[ ().-]{0,2}\d){7,14}(?!\d)"  # E.164, however grouped
    r"|(?<![\w.+/-])(?<!\d:)(?:"
    r"00[1-9](?:[ ()/-]{0,2}\d){8,13}"  # the same after 00
    r"|\(?0[1-9]\d{1,4}\)?[ /-]{1,3}\d(?:[ -]?\d){5,9}|0[1-9]\d{8,10}"  # after a trunk zero
    r"|0[1-9](?:[ .-]\d\d){4}"  # France
    r"|(?:1[ .-])?(?:\([2-9]\d\d\) ?|[2-9]\d\d[.-])[2-9]\d\d[.-]\d{4}"  # North America
    r"|(?i:(?<= phone |caller |callee |msisdn |dialed |ialled ))\(?\d(?:[ ()/-]{0,2}\d){8,14}"
    rf"){_END}|(?<=sip:)\d{{7,15}}(?=@)|%2B\d{{8,15}}(?!\d)"
)
_PEM = r"PRIVATE KEY(?: BLOCK)?-----"
_PRIVATE_KEY = rf"-----BEGIN [A-Z0-9 ]{{0,40}}{_PEM}.*?(?:-----END [A-Z0-9 ]{{0,40}}{_PEM}|\Z)"
# A line from the middle of a key file, as a log shows it line by line (RFC 7468: 64 characters).
_KEY_LINE = r"\A(?![0-9a-f]{64}\Z|[0-9A-F]{64}\Z)[A-Za-z0-9+/]{64}\Z"

# Nothing here has a telling form: words of letters (but those that a secret begins with), or one ID.
_PLAIN = re.compile(
    r"(?:session|ws|turn)_[0-9a-z]++(?:_[0-9a-z]++)?|[0-9a-f]{32}|[a-z]++(?:[_-][a-z]++)++"
    r"|(?:[C-Zac-z ,.()'/]++|A(?!KIA|SIA|ROA|IDA)|[Bb](?!(?i:earer |asic )))*+"
)

FAMILIES = (
    Family(("-----BEGIN ",), re.compile("KEY"), (Form("", re.compile(_PRIVATE_KEY, re.DOTALL)),)),
    Family(
        (),
        re.compile(r"[\w./+=-]{16}"),
        (Form("", re.compile(_KEY_LINE)), Form("", re.compile(rf"(?<![A-Za-z0-9])(?:{_TOKENS})"))),
    ),
    Family(
        (" ",),
        re.compile(r" (?:(?<=earer )|(?<=asic )|(?<=EARER )|(?<=ASIC )|(?<=ufrag ))"),
        (Form("", re.compile(_AUTH)),),
    ),
    Family(
        (" ",),
        re.compile(r"(?i:sswor?d|passphrase|api key) "),
        (Form("", re.compile(_SPOKEN_OF)),),
    ),
    Family(
        ("@", "%40"),
        re.compile(r"[\w\"']"),
        (Form("", re.compile(_LOGIN)), Form("e-mail", re.compile(_EMAIL))),
    ),
    Family(
        (":", "-"),
        re.compile(r"::|:(?:[0-9A-Fa-f]{1,4}:){4}|-(?:[0-9A-Fa-f]{2}-){4}"),
        (
            Form("fingerprint", re.compile(rf"(?<![\w:])(?:{_HEX_PAIR}:){{15,}}(?:{_HEX_PAIR}(?!\w))?")),
            Form("mac", re.compile(_MAC)),
            Form("ip", re.compile(_IPV6), _covers_ip),
        ),
    ),
    Family(
        ("%3A", "%3a"),
        re.compile(r"%3[Aa]"),
        (Form("ip", re.compile(_CODED), _covers_coded),),
    ),
    Family(("BEGIN%20", "BEGIN+"), re.compile("KEY"), (Form("", re.compile(_CODED_KEY)),)),
    Family((".",), re.compile(r"\.\d{1,3}\.\d"), (Form("ip", re.compile(_IPV4), _covers_ip),)),
    Family((), re.compile(r"\b[A-Z]{2}\d\d"), (Form("IBAN", re.compile(_IBAN), _covers_iban),)),
    Family(
        (),
        re.compile(r"\b\d(?:[ ()./-]{0,3}\d){8}|\+\d|%2B\d"),
        (Form("card", re.compile(_CARD), _covers_card), Form("phone", re.compile(_PHONES))),
    ),
)
