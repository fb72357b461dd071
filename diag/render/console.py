"""Links into Google's console: the one entry that a piece of evidence names."""

from __future__ import annotations

from urllib.parse import quote

from diag.model.findings import Evidence
from diag.model.instants import format_instant

_LOGS = "https://console.cloud.google.com/logs/query"


def link_to_entry(evidence: Evidence, project: str) -> str:
    """The address that shows the entry among its neighbours; empty for what is not in Cloud Logging.

    The form is that of the Logs Explorer's own "copy link": query, a cursor for the time, the project.
    """
    place, _, insert_id = evidence.ref.rpartition("#")
    if not project or not place or not evidence.time_ns:
        return ""
    when = format_instant(evidence.time_ns)
    query = f'insertId="{_quoted(insert_id)}"\ntimestamp="{when}"'
    return f"{_LOGS};query={quote(query, safe='')};cursorTimestamp={when}?project={quote(project, safe='')}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
