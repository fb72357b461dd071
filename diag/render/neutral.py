r"""Text from logs is untrusted: here it loses the power to be anything but text.

`to_plain` makes control characters visible (an escape sequence must not reach a terminal, a
right-to-left override must not reorder a line). For Markdown, a foreign text stands in a code span,
where nothing is markup, or is escaped within a sentence of ours.
"""

from __future__ import annotations

import re
import unicodedata

# Cc: control, Cf: format (bidi overrides, zero width), Zl and Zp: line ends, Co, Cs, Cn: private, surrogates,
# and what this Unicode does not know: nobody can say what a terminal makes of it
_HIDDEN = frozenset({"Cc", "Cf", "Zl", "Zp", "Co", "Cs", "Cn"})
_SPACES = re.compile(r"\s+")
# What is markup anywhere, and what is only at the beginning of a line.
_MARKUP = re.compile(r"([\\`*_\[\]|~$])")
_LINE_MARKUP = re.compile(r"^(?=[#+>=-])|^(\d+)(?=[.)])")
_IDS = re.compile(r"(?<![\w`-])((?:[a-z]+_)+[0-9][\w]*)(?![\w`-])")
_LINKS = re.compile(r"(?i)\b(https?|ftp|mailto)(:)|\b(www)(\.)")


def to_plain(text: str) -> str:
    r"""One line without hidden characters: they show as ``\x1b`` or ``\u202e``."""
    line = _SPACES.sub(" ", text).strip()
    if line.isascii() and line.isprintable():
        return line
    return "".join(_show(char) for char in line)


def to_visible(text: str) -> str:
    """As `to_plain`, with every space kept: places in it can be counted."""
    return "".join(" " if char.isspace() else _show(char) for char in text)


def _show(char: str) -> str:
    if unicodedata.category(char) not in _HIDDEN:
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}"


def to_code(text: str) -> str:
    """A Markdown code span that also holds in a table's cell; nothing inside is markup."""
    line = to_plain(text)
    if not line:
        return '""'
    longest = max((len(run) for run in re.findall(r"`+", line)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{pad}{line}{pad}{fence}".replace("|", "\\|")


def to_prose(text: str) -> str:
    """A sentence for Markdown in which nothing is markup, HTML, a mention or a link; IDs can be copied."""
    parts = _IDS.split(to_plain(text))
    return "".join(f"`{part}`" if place % 2 else _escape(part, place) for place, part in enumerate(parts))


def _escape(text: str, place: int) -> str:
    line = text.replace("&", "&amp;").replace("<", "&lt;").replace("@", "(at)")
    line = _LINKS.sub(lambda match: f"{match[1] or match[3]} {match[2] or match[4]}", line)
    line = _MARKUP.sub(r"\\\1", line)
    return line if place else _LINE_MARKUP.sub(lambda match: f"{match[1]}\\" if match[1] else "\\", line)


def to_label(text: str, most: int = 60) -> str:
    """A label inside a Mermaid diagram: words only, cut."""
    line = re.sub(r"[^\w .,:/()=-]", " ", to_plain(text)).replace(":", " ")
    line = _SPACES.sub(" ", line).strip()
    return line if len(line) <= most else f"{line[: most - 2]}.."


def shorten(text: str, most: int) -> str:
    """`text` or its beginning, at most `most` characters."""
    return text if len(text) <= most else f"{text[: max(0, most - 2)]}.."


def short_id(text: str) -> str:
    """The telling end of an ID: ``..cz4gw0fl5``."""
    line = to_plain(text)
    return line if len(line) <= 12 else f"..{line[-9:].lstrip('_')}"
