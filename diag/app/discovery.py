"""What nobody named and the kubeconfig tells: project, location, cluster and namespace."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from diag.app.request import Request
from diag.model.coverage import SourceCoverage, State
from diag.model.settings import Settings

_Request = TypeVar("_Request", bound=Request)


def discover(request: _Request) -> _Request:
    """The request with what the current GKE context says, where no project is named and no file given."""
    if request.files:
        return request
    settings = discover_settings(request.settings)
    if settings is request.settings:
        return request
    return replace(request, settings=settings, discovered=True)


def discover_settings(settings: Settings) -> Settings:
    """The settings with what the current GKE context says, where no project is named."""
    if settings.logging.project:
        return settings
    from diag.sources.kube import find_gke_context

    context = find_gke_context(settings.kubernetes)
    if context is None:
        return settings
    named = settings.cluster
    cluster = replace(
        named,
        name=named.name or context.cluster,
        location=named.location or context.location,
        namespace=named.namespace or context.namespace,
    )
    return replace(settings, logging=replace(settings.logging, project=context.project), cluster=cluster)


def excuse(source: SourceCoverage) -> SourceCoverage:
    """What was only discovered and could not be reached was not asked for; its reason stays."""
    if source.state is not State.FAILED:
        return source
    return replace(source, state=State.NOT_ASKED)
