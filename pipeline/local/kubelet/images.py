"""Images of the local stack: names of programs of this repository.

There is no registry and nothing is downloaded. A file says which repositories exist, under which tags,
and what runs for each::

    {"voice-agent/stt-service": {"tags": ["1.4.2"], "argv": ["python", "-m", "pipeline.stt"]}}

It is read anew at each pull: a tag that is added later can be pulled from then on. The digest of an image
is the SHA-256 of its repository, tag and command: the same image has the same digest on every machine,
and another tag has another.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

_DEFAULT_TAG = "latest"
_REFERENCE = re.compile(r"(?P<repository>[a-z0-9]+(?:[._/:-]+[a-z0-9]+)*?)(?::(?P<tag>[\w][\w.-]{0,127}))?")


@dataclass(frozen=True, slots=True)
class Image:
    """An image that was pulled. `id` is its reference by digest."""

    id: str
    argv: tuple[str, ...]
    size_bytes: int


class PullError(Exception):
    """The image cannot be had; the text is the container runtime's, the `reason` the kubelet's."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def split_reference(image: str) -> tuple[str, str]:
    """Repository and tag (``latest`` without one); raises `PullError` for what is no reference."""
    match = _REFERENCE.fullmatch(image)
    if match is None:
        text = f'couldn\'t parse image name "{image}": invalid reference format'
        raise PullError("InvalidImageName", f'Failed to apply default image tag "{image}": {text}')
    return match["repository"], match["tag"] or _DEFAULT_TAG


class ImageStore:
    """The images of one node, pulled from the file `registry`."""

    def __init__(self, registry: Path) -> None:
        self._registry = registry
        self._present: dict[str, Image] = {}

    def find(self, image: str) -> Image | None:
        """The image if the node has it."""
        return self._present.get(image)

    def pull(self, image: str) -> Image:
        """Bring `image` to the node; raises `PullError`."""
        repository, tag = split_reference(image)
        known = self._read().get(repository)
        if known is None or tag not in known["tags"]:
            raise PullError("ErrImagePull", _not_found(f"{repository}:{tag}"))
        argv = tuple(known["argv"])
        content = json.dumps([repository, tag, argv]).encode()
        digest = f"{repository}@sha256:{hashlib.sha256(content).hexdigest()}"
        self._present[image] = Image(digest, argv, len(content))
        return self._present[image]

    def _read(self) -> dict[str, dict[str, list[str]]]:
        try:
            images: dict[str, dict[str, list[str]]] = json.loads(self._registry.read_text("utf-8"))
        except OSError as error:
            raise PullError(
                "ErrImagePull", f"rpc error: code = Unavailable desc = {error.strerror}"
            ) from error
        return images


def _not_found(reference: str) -> str:
    """In the words of containerd 2."""
    return (
        f'rpc error: code = NotFound desc = failed to pull and unpack image "{reference}": '
        f"failed to resolve image: {reference}: not found"
    )
