"""What a kustomization does to the objects beside it, as far as it can be followed.

A namespace, and the tags of images, are followed where the kustomization names the file itself. Anything
more (patches, prefixes, components, an overlay over another folder) changes objects in a way that only
kustomize knows; such objects are marked, so that nobody takes what their file says for what is wanted.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from diag.model.manifests import Manifest
from diag.sources.manifests.nodes import Node

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_FOLLOWED = ("namespace", "images")
_HARMLESS = (
    "apiVersion", "kind", "metadata", "resources", "bases", "labels", "commonLabels", "commonAnnotations",
    "configMapGenerator", "secretGenerator", "generatorOptions", "buildMetadata", "sortOptions", "openapi",
    *_FOLLOWED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Kustomization:
    """One kustomization; `path` is its file's, its other paths are as seen from the folder of manifests."""

    path: str
    resources: frozenset[str]
    namespace: str
    images: tuple[tuple[str, str, str, str], ...]
    changes_more: bool

    @property
    def folder(self) -> str:
        """Where it lies."""
        return posixpath.dirname(self.path)


def to_kustomization(root: Node, path: str) -> Kustomization:
    """A document of a file that is called like a kustomization."""
    folder = posixpath.dirname(path)
    named = [*root.at("resources").items, *root.at("bases").items]
    return Kustomization(
        path=path,
        resources=frozenset(posixpath.normpath(posixpath.join(folder, one.text)) for one in named),
        namespace=root.at("namespace").text,
        images=tuple(
            (one.at("name").text, one.at("newName").text, one.at("newTag").text, one.at("digest").text)
            for one in root.at("images").items
        ),
        changes_more=any(key not in _HARMLESS for key in root.fields),
    )


def apply_all(objects: Iterable[Manifest], kustomizations: Iterable[Kustomization]) -> Iterator[Manifest]:
    """The objects as the kustomizations that name them leave them."""
    kustomizations = tuple(kustomizations)
    for one in objects:
        changed = one
        for kustomization in kustomizations:
            changed = _apply(changed, kustomization)
        yield changed


def _apply(one: Manifest, by: Kustomization) -> Manifest:
    direct = one.path in by.resources
    through = any(one.path.startswith(f"{folder}/") for folder in by.resources) or (
        "." in by.resources and "/" not in one.path
    )
    changes = by.changes_more or bool(by.namespace) or bool(by.images)
    if (direct and by.changes_more) or (through and changes):
        return replace(one, patched_by=by.path)
    if not direct:
        return one
    containers = tuple(replace(box, image=_set_image(box.image, by)) for box in one.containers)
    return replace(one, namespace=by.namespace or one.namespace, containers=containers)


def _set_image(image: str, by: Kustomization) -> str:
    for name, new_name, new_tag, digest in by.images:
        bare, tag = split_image(image)
        if bare == name:
            suffix = f"@{digest}" if digest else f":{new_tag}" if new_tag else tag
            return f"{new_name or bare}{suffix}"
    return image


def split_image(image: str) -> tuple[str, str]:
    """The name, and the tag or digest with its sign: ``registry:5000/a`` and ``:v1``."""
    bare, at, digest = image.partition("@")
    slash, colon = bare.rfind("/"), bare.rfind(":")
    if colon > slash:
        return bare[:colon], bare[colon:] + at + digest
    return bare, at + digest
