"""What is meant to run, of a session: the code of its services, and their manifests, against the cluster."""

from __future__ import annotations

from dataclasses import dataclass

from diag.app.code import Code, tie_to_lines
from diag.app.manifests import ManifestFiles
from diag.app.request import Request
from diag.model.blueprint import Blueprint
from diag.model.catalogue import Catalogue
from diag.model.cluster_view import ClusterView
from diag.model.coverage import SourceCoverage
from diag.model.diagnosis import Diagnosis
from diag.model.session import Session


@dataclass(frozen=True, slots=True)
class Blueprints:
    """Both readings, each with its coverage."""

    catalogue: Catalogue
    code: Code
    manifests: ManifestFiles

    def coverage(self) -> tuple[SourceCoverage, ...]:
        """Of both."""
        return self.code.coverage(), self.manifests.coverage()

    def hold_against(self, cluster: ClusterView | None) -> Blueprint:
        """What they gave and, where the cluster was read, how that differs from the manifests."""
        files = self.manifests.facts
        if files is None or cluster is None:
            return Blueprint(self.code.facts, files)
        from diag.drift import compare

        return Blueprint(self.code.facts, files, compare(files, cluster))

    def tie(self, diagnosis: Diagnosis) -> Diagnosis:
        """The diagnosis with the place in the code of each line of its timeline."""
        return tie_to_lines(diagnosis, self.catalogue)


async def read_blueprints(
    request: Request, catalogue: Catalogue, session: Session | None, *, interrupted: bool
) -> Blueprints:
    """What the request names of code and manifests; nothing is read after an interruption."""
    settings = request.settings
    code = Code(settings.repo, catalogue, request.progress, interrupted=interrupted)
    await code.read(session)
    manifests = ManifestFiles(settings.manifests.path, interrupted=interrupted or code.interrupted)
    await manifests.read()
    return Blueprints(catalogue, code, manifests)
