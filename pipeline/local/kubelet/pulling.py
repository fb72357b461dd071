"""How a container comes by its image: its pull policy, and what is told of it."""

from __future__ import annotations

import time
from typing import Protocol

from pipeline.local.kubelet.events import NORMAL, WARNING
from pipeline.local.kubelet.images import Image, ImageStore, PullError
from pipeline.local.kubelet.spec import ContainerSpec
from pipeline.local.kubelet.times import format_duration


class Tell(Protocol):
    """Takes an event about the container."""

    def __call__(self, reason: str, message: str, type_: str = NORMAL, /) -> None:
        """Something has happened."""


def obtain_image(spec: ContainerSpec, images: ImageStore, tell: Tell) -> Image:
    """The image of `spec`, pulled if need be; raises `PullError`.

    Source: Kubernetes 1.36, pkg/kubelet/images/image_manager.go.
    """
    present = images.find(spec.image)
    if present and spec.pull_policy != "Always":
        accessible = "already present on machine and can be accessed by the pod"
        tell("Pulled", f'Container image "{spec.image}" {accessible}')
        return present
    if spec.pull_policy == "Never":
        message = f'Container image "{spec.image}" is not present with pull policy of Never'
        tell("ErrImageNeverPull", message, WARNING)
        raise PullError("ErrImageNeverPull", message)
    return _pull(spec.image, images, tell)


def _pull(name: str, images: ImageStore, tell: Tell) -> Image:
    tell("Pulling", f'Pulling image "{name}"')
    began = time.monotonic()
    try:
        image = images.pull(name)
    except PullError as error:
        tell("Failed", f'Failed to pull image "{name}": {error}', WARNING)
        raise
    took = format_duration(time.monotonic() - began)
    size = f"Image size: {image.size_bytes} bytes."
    tell("Pulled", f'Successfully pulled image "{name}" in {took} ({took} including waiting). {size}')
    return image
