"""Manifests against the cluster: what is asked for in files, and what is there. Pure."""

from diag.drift.compare import compare

__all__ = ["compare"]
