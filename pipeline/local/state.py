"""The folder of a stack: who has it, what runs in it, and how ``diag`` reads it.

lock            held by the supervisor as long as it lives: one stack a folder
stack.json      addresses, pods and process IDs of the running stack
diag.toml       the settings with which diag reads it
topics.toml     the topics that it wants, for diag
pods/           the CRI logs, one folder a pod
kafka/ logs/ tmp/
cluster/        of a stack that is a cluster: the control plane's data, keys and users, and the node's
kubectl         of such a stack: kubectl for it
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from pipeline.local.errors import StackError

PROJECT = "voice-agent-local"
CLUSTER = "voice-agent"
LOCATION = "local"
NAMESPACE = "voice-agent"
NODE_NAME = "gke-voice-agent-default-pool-5d8c1f3e-p4zt"
DEFAULT_FOLDER = Path(".stack")
TOPICS_TOML = "topics.toml"

_DIAG_TOML = """\
# How diag reads the stack in this folder. Written anew by each start.

[logging]
endpoint = "{endpoint}"
project = "{project}"

[cluster]
name = "{cluster}"
location = "{location}"
namespace = "{namespace}"

[kafka]
bootstrap = "{bootstrap}"
"""
_KUBERNETES_TOML = """
[kubernetes]
kubeconfig = "{kubeconfig}"
"""


@dataclass(frozen=True, slots=True)
class PodState:
    """One pod of the running stack; `pid` is None between two runs of its container."""

    name: str
    uid: str
    port: int
    pid: int | None
    restarts: int


@dataclass(frozen=True, slots=True)
class StackState:
    """What ``stack.json`` says. Pods are by service, daemons are process IDs by name.

    `switches` is where the logging server's switches are read and changed. `services` has each one's
    ``address:port``. Where they are pods of a cluster, `kubectl` is the program to ask it with, and
    `pods` is empty: the cluster knows them.
    """

    supervisor: int
    logging: str
    kafka: str
    switches: str = ""
    daemons: Mapping[str, int] = field(default_factory=dict)
    pods: Mapping[str, PodState] = field(default_factory=dict)
    services: Mapping[str, str] = field(default_factory=dict)
    kubectl: str = ""

    def address_of(self, service: str) -> str:
        """``address:port`` of `service`; raises `StackError` if there is no such service."""
        if service not in self.services:
            raise StackError(f"no service {service} in the stack: it has {', '.join(sorted(self.services))}")
        return self.services[service]

    def addresses_of(self, service: str) -> tuple[str, ...]:
        """As `address_of`, for each replica; the service of a cluster is one."""
        first = self.address_of(service)
        others = (a for key, a in self.services.items() if key.removeprefix(f"{service}-").isdigit())
        return (first, *others)

    def pod_of(self, service: str) -> PodState:
        """The pod of `service`; raises `StackError` if there is no such service, or a cluster has it."""
        self.address_of(service)
        if self.kubectl:
            raise StackError(f"the cluster restarts it: {self.kubectl} rollout restart deployment/{service}")
        return self.pods[service]


class StateFolder:
    """The folder in the hands of one supervisor."""

    def __init__(self, root: Path, lock: int) -> None:
        self.root = root
        self._lock = lock

    @classmethod
    def claim(cls, root: Path) -> Self:
        """Take the folder over and empty it of what an earlier stack has left.

        The lock dies with its holder, so a folder of a dead supervisor is free.

        Raises:
            StackError: another stack runs in it, or it cannot be written.
        """
        root = root.resolve()
        try:
            root.mkdir(parents=True, exist_ok=True)
            lock = _lock(root, fcntl.LOCK_EX, os.O_CREAT)
        except OSError as error:
            raise StackError(f"{root} cannot be used for a stack: {error.strerror}") from error
        if lock is None:
            raise StackError(f"a stack runs in {root} already: end it, or name another folder")
        folder = cls(root, lock)
        folder._empty()
        return folder

    @property
    def pods(self) -> Path:
        """Where the logs of the pods are."""
        return self.root / "pods"

    @property
    def kafka(self) -> Path:
        """Where Kafka keeps its data."""
        return self.root / "kafka"

    @property
    def cluster(self) -> Path:
        """Where a stack that is a cluster keeps its control plane and its node."""
        return self.root / "cluster"

    @property
    def kubectl(self) -> Path:
        """The program with which a stack that is a cluster is asked and changed."""
        return self.root / "kubectl"

    @property
    def state(self) -> Path:
        """Where the services keep what outlives their processes, but not the stack."""
        return self.root / "state"

    @property
    def temporary(self) -> Path:
        """The temporary folder of all processes of the stack."""
        return self.root / "tmp"

    @property
    def diag_toml(self) -> Path:
        """The settings for diag."""
        return self.root / "diag.toml"

    def daemon_log(self, name: str) -> Path:
        """The log file of a part that is no pod."""
        return self.root / "logs" / f"{name}.log"

    def write_state(self, state: StackState) -> None:
        """Write ``stack.json``: whoever reads it sees the old one or the new one."""
        beside = self.root / "stack.json.new"
        beside.write_text(json.dumps(asdict(state), indent=2) + "\n", "utf-8")
        beside.replace(_state_file(self.root))

    def write_diag_toml(self, state: StackState, kubeconfig: Path | None = None, *, topics: str = "") -> None:
        """Write the settings for diag; with `kubeconfig` it reads the cluster, too.

        `topics` is the list of wanted topics, of a stack that has its own.
        """
        text = _DIAG_TOML.format(
            endpoint=state.logging,
            project=PROJECT,
            cluster=CLUSTER,
            location=LOCATION,
            namespace=NAMESPACE,
            bootstrap=state.kafka,
        )
        cluster = _KUBERNETES_TOML.format(kubeconfig=kubeconfig) if kubeconfig else ""
        wanted = f'\n[topics]\nfile = "{TOPICS_TOML}"\n' if topics else ""
        if topics:
            (self.root / TOPICS_TOML).write_text(topics, "utf-8")
        self.diag_toml.write_text(text + cluster + wanted, "utf-8")

    def release(self) -> None:
        """Give the folder back. Logs and settings stay, for whoever wants to read them."""
        _state_file(self.root).unlink(missing_ok=True)
        self.kubectl.unlink(missing_ok=True)
        for folder in (self.temporary, self.kafka, self.state, self.cluster):
            shutil.rmtree(folder, ignore_errors=True)
        os.close(self._lock)

    def _empty(self) -> None:
        shutil.rmtree(self.cluster, ignore_errors=True)
        for file in (_state_file(self.root), self.diag_toml, self.root / TOPICS_TOML, self.kubectl):
            file.unlink(missing_ok=True)
        for folder in (self.pods, self.kafka, self.state, self.temporary, self.root / "logs"):
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()


def read_state(root: Path) -> StackState:
    """The stack that runs in `root`; raises `StackError` if none does."""
    root = root.resolve()
    nothing = StackError(f"no stack runs in {root}: start one with python -m pipeline up")
    try:
        lock = _lock(root, fcntl.LOCK_SH)
        if lock is not None:
            os.close(lock)
            raise nothing
        state = json.loads(_state_file(root).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise nothing from error
    pods = {service: PodState(**pod) for service, pod in state.pop("pods").items()}
    return StackState(**state, pods=pods)


def _state_file(root: Path) -> Path:
    return root / "stack.json"


def _lock(root: Path, kind: int, create: int = 0) -> int | None:
    """The lock of the folder, or None if another process has it. It is not inherited by children."""
    lock = os.open(root / "lock", os.O_RDWR | os.O_CLOEXEC | create, 0o644)
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock
