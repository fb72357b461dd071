"""What is meant to run: the services' code and their manifests."""

from __future__ import annotations

from dataclasses import dataclass

from diag.model.code import CodeFacts
from diag.model.manifests import Drift, Manifests


@dataclass(frozen=True, slots=True)
class Blueprint:
    """What was read of it; a part that was not is None.

    Attributes:
        drift: how the cluster differs from the manifests; None where one of the two was not read.
    """

    code: CodeFacts | None = None
    manifests: Manifests | None = None
    drift: Drift | None = None


NO_BLUEPRINT = Blueprint()
"""Neither was read."""
