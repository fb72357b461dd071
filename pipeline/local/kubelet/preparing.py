"""What comes before a run: the back-off, the image, the environment. Each is waited for as GKE shows it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

from pipeline.local.back_off import BackOff
from pipeline.local.errors import StackError
from pipeline.local.kubelet.environment import ConfigError, build_environment
from pipeline.local.kubelet.events import WARNING
from pipeline.local.kubelet.handlers import Target
from pipeline.local.kubelet.host import Host
from pipeline.local.kubelet.images import Image, PullError
from pipeline.local.kubelet.pulling import obtain_image
from pipeline.local.kubelet.record import ContainerRecord
from pipeline.local.kubelet.times import format_duration

_NO_TASK = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: "
    "runc create failed: unable to start container process: error during container init: "
)
_SYNC_S = 1.0  # how long an error stands before the back-off takes its place


async def hold_back(record: ContainerRecord, wait_s: float) -> None:
    """Wait before the next run, as a container in a crash loop does."""
    if wait_s <= 0 or record.stopping.is_set():
        return
    name, pod = record.spec.name, record.pod.full_name
    record.tell("BackOff", f"Back-off restarting failed container {name} in pod {pod}", WARNING)
    message = f"back-off {format_duration(wait_s)} restarting failed container={name} pod={pod}"
    record.wait_for("CrashLoopBackOff", message)
    await record.pause(wait_s)


async def pull(record: ContainerRecord, host: Host) -> Image | None:
    """The image, once it can be had; None when the container is stopped."""
    back_off = BackOff(host.restarts, free=0)
    while not record.stopping.is_set():
        try:
            return obtain_image(record.spec, host.images, record.tell)
        except PullError as error:
            record.tell("Failed", f"Error: {error.reason}", WARNING)
            record.wait_for(error.reason, str(error))
            await _hold_back_pull(record, error, back_off.wait_s(0))
    return None


async def _hold_back_pull(record: ContainerRecord, error: PullError, wait_s: float) -> None:
    shown_s = min(_SYNC_S, wait_s / 2)
    stopping = await record.pause(shown_s)
    if error.reason == "ErrImagePull" and not stopping:
        message = f'Back-off pulling image "{record.spec.image}"'
        record.tell("BackOff", message)
        record.tell("Failed", "Error: ImagePullBackOff", WARNING)
        record.wait_for("ImagePullBackOff", f"{message}: {error.reason}: {error}")
    await record.pause(wait_s - shown_s)


def find_start_error(program: str, variables: Mapping[str, str]) -> str | None:
    """Why `program` cannot be started, in the words of containerd and runc; None if it can."""
    if shutil.which(program, path=variables.get("PATH")):
        return None
    missing = f"stat {program}: no such file or directory"
    why = missing if "/" in program else "executable file not found in $PATH"
    return f'{_NO_TASK}exec: "{program}": {why}: unknown'


async def configure(record: ContainerRecord, host: Host, pod_ip: str) -> Target | None:
    """The environment, once it can be made; None when the container is stopped."""
    while not record.stopping.is_set():
        try:
            around = await host.look_around(record.pod, record.spec, pod_ip)
            return Target(pod_ip, build_environment(record.pod, record.spec, around))
        except ConfigError as error:
            record.tell("Failed", f"Error: {error}", WARNING)
            record.wait_for("CreateContainerConfigError", str(error))
        except StackError:
            pass  # the API server is away
        await record.pause(host.restarts.first_s)
    return None
