"""What manifests ask for, and how the cluster differs, in the machine's output."""

from __future__ import annotations

from typing import Any

from diag.model.containers import Container
from diag.model.manifests import Difference, Drift, Manifest, Manifests

Json = dict[str, Any]


def manifests_to_json(files: Manifests | None, drift: Drift | None) -> Json | None:
    """None where no manifests were read; `drift` is None where the cluster was not."""
    if files is None:
        return None
    return {
        "files": files.files,
        "objects": [_object(one) for one in files.objects],
        "not_read": [{"path": one.path, "reason": one.reason} for one in files.not_read],
        "cut": files.cut or None,
        "live": None
        if drift is None
        else {
            "compared": drift.compared,
            "differences": [_difference(one) for one in drift.differences],
            "not_compared": [{"object": name, "reason": why} for name, why in drift.not_compared],
        },
    }


def _object(one: Manifest) -> Json:
    return {
        "kind": one.kind,
        "namespace": one.namespace or None,
        "name": one.name,
        "ref": one.ref,
        "replicas": one.replicas,
        "containers": [_container(box) for box in one.containers],
        "patched_by": one.patched_by or None,
    }


def _container(box: Container) -> Json:
    return {
        "name": box.name,
        "image": box.image,
        "probes": [probe.role for probe in box.probes],
        "variables": list(box.variables),
    }


def _difference(one: Difference) -> Json:
    return {
        "kind": one.kind,
        "namespace": one.namespace or None,
        "name": one.name,
        "what": one.what,
        "file": one.wanted or None,
        "live": one.live or None,
        "ref": one.file_ref or None,
        "live_ref": one.live_ref or None,
        "note": one.note or None,
    }
