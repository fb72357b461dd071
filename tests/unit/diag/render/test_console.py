"""Links into Google's console."""

from __future__ import annotations

from urllib.parse import unquote

from diag.model.findings import Evidence
from diag.render.console import link_to_entry

ENTRY = Evidence(1_753_615_601_372_000_000, "pod-1@2025-07-27T11:26:41.372Z#1a2b", "cloud-logging", "text")


def test_a_link_names_the_entry_its_time_and_the_project() -> None:
    """What the Logs Explorer needs to show just this line among its neighbours."""
    link = unquote(link_to_entry(ENTRY, "voice-prod"))

    assert 'insertId="1a2b"' in link
    assert 'timestamp="2025-07-27T11:26:41.372' in link
    assert link.endswith("?project=voice-prod")


def test_a_hostile_insert_id_stays_inside_its_quotes_and_its_brackets() -> None:
    """No quote ends the query, no bracket ends the Markdown link."""
    hostile = Evidence(ENTRY.time_ns, 'pod@t#x" OR ")](javascript:alert(1)', "cloud-logging", "text")
    link = link_to_entry(hostile, "p")

    assert 'x\\" OR \\")' in unquote(link)
    assert not set(link) & set(' "()[]<>')


def test_what_is_not_in_cloud_logging_has_no_link() -> None:
    """Lines of files, records, and entries that a local server holds."""
    line = Evidence(ENTRY.time_ns, "app.log:12", "files", "text")

    assert link_to_entry(line, "voice-prod") == ""
    assert link_to_entry(ENTRY, "") == ""
