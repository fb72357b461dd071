"""Links into Google's console: the one entry that a piece of evidence names."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote

from diag.model.findings import Evidence
from diag.model.instants import format_instant
from diag.model.log_resources import LogResource

_LOGS = "https://console.cloud.google.com/logs/query"
_OWNERS = {
    "projects": "project",
    "folders": "folder",
    "organizations": "organizationId",
    "billingAccounts": "billingAccountId",
}


def link_to_entry(evidence: Evidence, logs: Sequence[LogResource]) -> str:
    """The address that shows the entry among its neighbours; empty for what is not in Cloud Logging.

    The form is that of the Logs Explorer's own "copy link": query, views, a cursor for the time, the project.
    It is empty as well where `logs` are several projects, and the reference does not say which one has it.
    """
    place, _, insert_id = evidence.ref.rpartition("#")
    shown = _find_holders(place, logs)
    if not shown or not place or not evidence.time_ns:
        return ""
    when = format_instant(evidence.time_ns)
    query = f'insertId="{_quoted(insert_id)}"\ntimestamp="{when}"'
    return (
        f"{_LOGS};query={quote(query, safe='')}{_choose_views(shown)};cursorTimestamp={when}"
        f"?{_OWNERS[shown[0].kind]}={quote(shown[0].parent, safe='')}"
    )


def _find_holders(place: str, logs: Sequence[LogResource]) -> Sequence[LogResource]:
    """Where the entry of a reference ``[project/]pod@time`` can be seen: its own project, or the views."""
    if len(logs) < 2:
        return logs
    project, named, _ = place.partition("/")
    own = [one for one in logs if named and one.own_project == project]
    views = [one for one in logs if one.view]
    return own or (views if named or len(views) == len(logs) else ())


def _choose_views(shown: Sequence[LogResource]) -> str:
    views = [quote(one.name, safe="") for one in shown if one.view]
    return f";storageScope=storage,{','.join(views)}" if views else ""


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
