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
_REFERENCE = re.compile(
    r"(?P<repository>[a-z0-9]+(?:[._/:-]+[a-z0-9]+)*?)(?::(?P<tag>[\w][\w.-]{0,127}))?"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


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


@dataclass(frozen=True, slots=True)
class _Reference:
    """What an image is called: the digest counts, where there is one."""

    repository: str
    tag: str
    digest: str | None

    def names(self, tag: str, digest: str) -> bool:
        return digest == self.digest if self.digest else tag == self.tag

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def _read_reference(image: str) -> _Reference:
    """``latest`` is the tag of one without; raises `PullError` for what is no reference."""
    match = _REFERENCE.fullmatch(image)
    if match is None:
        text = f'couldn\'t parse image name "{image}": invalid reference format'
        raise PullError("InvalidImageName", f'Failed to apply default image tag "{image}": {text}')
    return _Reference(match["repository"], match["tag"] or _DEFAULT_TAG, match["digest"])


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
        wanted = _read_reference(image)
        known = self._read().get(wanted.repository, {"tags": [], "argv": []})
        argv = tuple(known["argv"])
        for tag in known["tags"]:
            content = json.dumps([wanted.repository, tag, argv]).encode()
            digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
            if wanted.names(tag, digest):
                found = self._present[image] = Image(f"{wanted.repository}@{digest}", argv, len(content))
                return found
        raise PullError("ErrImagePull", _not_found(str(wanted)))

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
