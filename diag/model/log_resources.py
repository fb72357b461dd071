"""Whose log entries are read: projects, and log views, which may hold what sinks of others sent there."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_RESOURCES = 100
"""Names that one request may have (``entries.list``)."""

_ID = r"[\w.:-]+"  # reports show commands with it that people paste into a shell
_PARENT = rf"(?P<kind>projects|folders|organizations|billingAccounts)/(?P<parent>{_ID})"
_VIEW = rf"(?:/locations/(?P<location>{_ID})/buckets/(?P<bucket>{_ID})/views/(?P<view>{_ID}))?"
_NAME = re.compile(_PARENT + _VIEW)
_FLAGS = {
    "projects": "project",
    "folders": "folder",
    "organizations": "organization",
    "billingAccounts": "billing-account",
}


@dataclass(frozen=True, slots=True)
class LogResource:
    """A project, or a view of a bucket of logs.

    Attributes:
        name: as the service gets it: ``projects/P``, ``projects/P/locations/L/buckets/B/views/V``.
        kind: of what owns it: ``projects``, ``folders``, ``organizations``, ``billingAccounts``.
        parent: its owner's ID.
        view: location, bucket and view; empty for what is no view.
    """

    name: str
    kind: str
    parent: str
    view: tuple[str, ...] = ()

    @property
    def project(self) -> str:
        """The project that has the entries, or keeps the view; empty where a folder or its like does."""
        return self.parent if self.kind == "projects" else ""

    @property
    def own_project(self) -> str:
        """The project, where all entries of the resource are its own; else empty."""
        return "" if self.view else self.project

    @property
    def label(self) -> str:
        """As people write it: a project by its ID."""
        return self.own_project or self.name

    @property
    def gcloud_options(self) -> str:
        """What makes ``gcloud logging read`` read it."""
        named = zip(("location", "bucket", "view"), self.view, strict=False)
        return " ".join(f"--{flag}={value}" for flag, value in (*named, (_FLAGS[self.kind], self.parent)))


def parse_resources(text: str) -> tuple[LogResource, ...]:
    """Each project or view of a text with commas, once; raises `ValueError` that says what is wrong."""
    names = filter(None, (one.strip() for one in text.split(",")))
    found = tuple({one.name: one for one in map(_parse, names)}.values())
    if text and not found:
        raise ValueError(f"{text[:80]!r} names none")
    if len(found) > MOST_RESOURCES:
        raise ValueError(f"{len(found)} projects are more than the {MOST_RESOURCES} of one request")
    return found


def _parse(text: str) -> LogResource:
    match = _NAME.fullmatch(text if "/" in text else f"projects/{text}")
    if match is None:
        raise ValueError(f"{text[:80]!r} is neither a project nor a log view")
    view = (match["location"], match["bucket"], match["view"]) if match["view"] else ()
    return LogResource(match[0], match["kind"], match["parent"], view)
