"""Links into Google's console."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import unquote

from diag.model.findings import Evidence
from diag.model.log_resources import parse_resources
from diag.render.console import link_to_entry

LOGS = parse_resources("voice-prod")
ENTRY = Evidence(1_753_615_601_372_000_000, "pod-1@2025-07-27T11:26:41.372Z#1a2b", "cloud-logging", "text")


def test_a_link_names_the_entry_its_time_and_the_project() -> None:
    """What the Logs Explorer needs to show just this line among its neighbours."""
    link = unquote(link_to_entry(ENTRY, LOGS))

    assert 'insertId="1a2b"' in link
    assert 'timestamp="2025-07-27T11:26:41.372' in link
    assert link.endswith("?project=voice-prod")


def test_a_hostile_insert_id_stays_inside_its_quotes_and_its_brackets() -> None:
    """No quote ends the query, no bracket ends the Markdown link."""
    hostile = Evidence(ENTRY.time_ns, 'pod@t#x" OR ")](javascript:alert(1)', "cloud-logging", "text")
    link = link_to_entry(hostile, LOGS)

    assert 'x\\" OR \\")' in unquote(link)
    assert not set(link) & set(' "()[]<>')


def test_what_is_not_in_cloud_logging_has_no_link() -> None:
    """Lines of files, records, and entries that a local server holds."""
    line = Evidence(ENTRY.time_ns, "app.log:12", "files", "text")

    assert link_to_entry(line, LOGS) == ""
    assert link_to_entry(ENTRY, ()) == ""


def test_of_several_projects_the_one_that_has_the_entry_is_shown() -> None:
    """An entry is not found in the other one; where nobody knows whose it is there is no link."""
    both = parse_resources("media-prod,ai-prod")
    told = replace(ENTRY, ref=f"ai-prod/{ENTRY.ref}")

    assert link_to_entry(told, both).endswith("?project=ai-prod")
    assert link_to_entry(ENTRY, both) == ""


def test_a_log_view_is_chosen_in_the_link() -> None:
    """What a sink brought is shown where it is stored, not in the project that it came from."""
    view = "projects/central/locations/eu/buckets/voice/views/_AllLogs"
    told = replace(ENTRY, ref=f"ai-prod/{ENTRY.ref}")

    for one in (told, ENTRY):
        link = unquote(link_to_entry(one, parse_resources(view)))
        assert f";storageScope=storage,{view};" in link
        assert link.endswith("?project=central")
