"""Do two names of an image mean the same?"""

from __future__ import annotations

from dataclasses import dataclass

_HUBS = ("docker.io/library/", "index.docker.io/library/", "docker.io/", "index.docker.io/")


@dataclass(frozen=True, slots=True)
class Image:
    """``registry/path/name:tag@digest`` in its parts; without a tag and digest it is ``latest``."""

    path: str
    tag: str
    digest: str

    @property
    def name(self) -> str:
        """Without its registry and folders."""
        return self.path.rpartition("/")[2]


def parse_image(text: str) -> Image:
    """The parts of an image's name."""
    bare, _, digest = text.strip().partition("@")
    slash, colon = bare.rfind("/"), bare.rfind(":")
    path, tag = (bare[:colon], bare[colon + 1 :]) if colon > slash else (bare, "")
    hub = next((one for one in _HUBS if path.startswith(one)), "")
    return Image(path.removeprefix(hub), tag or ("" if digest else "latest"), digest)


def tell_difference(wanted: str, live: str) -> str:
    """What differs: ``image``, ``tag``, ``digest``, ``registry path``; empty where nothing does."""
    one, other = parse_image(wanted), parse_image(live)
    if one.digest and one.digest == other.digest:
        return ""
    if one.name != other.name:
        return "image"
    if one.tag and other.tag and one.tag != other.tag:
        return "tag"
    if one.digest and other.digest:
        return "digest"
    return "" if one.path == other.path else "registry path"
