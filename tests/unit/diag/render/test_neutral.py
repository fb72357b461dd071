"""Hostile text is only ever text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from diag.render.neutral import to_code, to_label, to_plain, to_prose

GFM = MarkdownIt("gfm-like", {"html": True, "linkify": False})
HOSTILE = [
    "\x1b[31mred\x1b[0m",
    "\u202egnp.exe",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "| a | b |\n|---|---|",
    "# heading",
    "- list",
    "`code` ``more`` ```fence",
    "[link](javascript:alert(1))",
    "![image](https://example.com/x.png)",
    "**bold** _it_ ~~gone~~",
    "&lt;b&gt;",
    "@everyone https://example.com www.example.com",
    "$x^2$",
    "1. one",
    "--><b>",
    "a\r\nb\x00c\u2028d",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_control_character_reaches_a_terminal(text: str) -> None:
    """They are shown instead; the text is one line."""
    plain = to_plain(text)

    assert plain.isprintable()


@pytest.mark.parametrize("text", HOSTILE)
def test_prose_renders_as_exactly_the_text(text: str) -> None:
    """One paragraph of text: no markup, no HTML, no link."""
    tokens = GFM.parse(to_prose(text))

    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    kinds = {child.type for child in tokens[1].children or ()}
    assert kinds <= {"text", "text_special"}


@given(st.text(min_size=1, max_size=60))
def test_a_code_span_holds_whatever_is_put_into_it(text: str) -> None:
    """Also in the cell of a table, beside another cell."""
    tokens = GFM.parse(f"| a | b |\n|---|---|\n| {to_code(text)} | after |\n")
    cells = [token for token in tokens if token.type == "inline"][2:]

    assert len(cells) == 2
    assert cells[1].content == "after"
    kinds = {child.type for child in cells[0].children or ()}
    assert kinds <= {"code_inline", "text"}
    assert "html_inline" not in kinds


@given(st.text(max_size=200))
def test_a_label_can_not_leave_its_diagram(text: str) -> None:
    """Semicolons, hashes, brackets and line ends would be Mermaid's."""
    label = to_label(text)

    assert not set(label) & set(";#<>{}[]|\"'\n\r`\\%")
    assert len(label) <= 60


def test_what_this_unicode_does_not_know_is_told_by_its_number() -> None:
    """A terminal may know it otherwise; what is shown counts as printable everywhere."""
    assert to_plain("a\U00018cd6\ufffe") == "a\\u18cd6\\ufffe"
