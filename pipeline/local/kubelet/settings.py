"""Settings of the kubelet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pipeline.local.back_off import RestartPolicy
from pipeline.wire.environment import Environment, SettingsError


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the kubelet finds what it needs.

    Attributes:
        kubeconfig: how the API server is reached (KUBECONFIG).
        node: the node's name (NODE_NAME).
        logs: the folder of the CRI log files (PODS_DIR).
        folder: a folder of the kubelet's own, for volumes and temporary files (KUBELET_DIR).
        images: the file that says which images exist (IMAGES); see `pipeline.local.kubelet.images`.
        certificate: of its server, with its `key` (TLS_CERT_FILE, TLS_PRIVATE_KEY_FILE).
        port: of its server (PORT); 0 lets the system choose.
        restarts: the crash loop's waits: BACK_OFF_FIRST_S, BACK_OFF_LONGEST_S, BACK_OFF_STABLE_S; and
            STOP_GRACE_S, what containers get when the kubelet itself ends.
    """

    kubeconfig: Path
    node: str
    logs: Path
    folder: Path
    images: Path
    certificate: Path
    key: Path
    port: int
    restarts: RestartPolicy


def read_settings(environment: Environment) -> Settings:
    """The settings; raises `SettingsError`."""

    def read_path(name: str) -> Path:
        return Path(environment.read_text(name)).resolve()

    def read_number(name: str, default: str) -> float:
        try:
            return float(environment.read_text(name, default))
        except ValueError as error:
            raise SettingsError(f"{name} is not a number") from error

    return Settings(
        kubeconfig=read_path("KUBECONFIG"),
        node=environment.read_text("NODE_NAME"),
        logs=read_path("PODS_DIR"),
        folder=read_path("KUBELET_DIR"),
        images=read_path("IMAGES"),
        certificate=read_path("TLS_CERT_FILE"),
        key=read_path("TLS_PRIVATE_KEY_FILE"),
        port=int(read_number("PORT", "0")),
        restarts=RestartPolicy(
            first_s=read_number("BACK_OFF_FIRST_S", "10"),
            longest_s=read_number("BACK_OFF_LONGEST_S", "300"),
            stable_s=read_number("BACK_OFF_STABLE_S", "600"),
            grace_s=read_number("STOP_GRACE_S", "5"),
        ),
    )
