"""Everything that one run found out: what renderers read, and all that they read."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.cluster_view import ClusterView
from diag.model.code import CodeFacts
from diag.model.coverage import Coverage
from diag.model.findings import Finding, Outcome, Scope, Verdict
from diag.model.identifiers import Identifier
from diag.model.log_resources import LogResource
from diag.model.manifests import Drift, Manifests
from diag.model.session import Session
from diag.model.topics import TopicPlan
from diag.model.window import Window


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked.

    Attributes:
        window: as it was searched at last; None where files gave no times.
        files: the names given on the command line.
        collected_ns: when it was read; None for files, which do not change with the hour.
        logs: whose entries Google's console shows, for links to them; none for other endpoints and files.
    """

    asked: Identifier
    window: Window | None
    files: tuple[str, ...] = ()
    collected_ns: int | None = None
    logs: tuple[LogResource, ...] = ()
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The whole answer about one session.

    Attributes:
        cluster: what its services were while it ran; None where the cluster was not read.
    """

    query: Query
    session: Session
    verdict: Verdict
    findings: tuple[Finding, ...]
    outcomes: tuple[Outcome, ...]
    coverage: Coverage
    topics: TopicPlan | None = None
    cluster: ClusterView | None = None
    version: str = ""
    code: CodeFacts | None = None
    manifests: Manifests | None = None
    drift: Drift | None = None

    def of_scope(self, scope: Scope) -> tuple[Finding, ...]:
        """The findings of one scope, in their order."""
        return tuple(finding for finding in self.findings if finding.scope is scope)


@dataclass(frozen=True, slots=True)
class Nearest:
    """A session that was seen where the one asked for was not, or a line in which a hub occurs.

    Attributes:
        id: the session; of a line the connection, trace or session beside the hub, empty if none.
        first_ns: when it was first seen.
        note: what ties it to the question: close in time, close in spelling; of a line its text.
        ref: of a line.
    """

    id: str
    first_ns: int
    service: str
    note: str = ""
    ref: str = ""


@dataclass(frozen=True, slots=True)
class NothingFound:
    """The answer that there is no such session where we looked.

    Attributes:
        nearest: sessions that were seen instead, nearest first.
        occurrences: for a hub, lost (`undefined`) or shared: where it occurs, the first of them. Also where
            it stands as a value that nothing says is an ID.
        occurs: how many lines mention it altogether.
        unknown_keys: the keys under which it stands, where the catalogue calls none of them an ID's.
    """

    query: Query
    coverage: Coverage
    nearest: tuple[Nearest, ...] = ()
    occurrences: tuple[Nearest, ...] = ()
    occurs: int = 0
    version: str = ""
    unknown_keys: tuple[str, ...] = ()
