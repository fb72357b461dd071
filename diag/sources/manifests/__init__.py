"""Kubernetes manifests, read from files; nothing of them is applied, rendered or run."""

from diag.sources.manifests.folder import read_manifests

__all__ = ["read_manifests"]
