"""The programs of the control plane, built once from their Go modules into the user's cache.

The Go module in ``go/`` names the version and holds one ``main`` for each program; its ``go.sum`` holds
the hashes of all that is compiled. ``control-plane/<version key>/bin/`` in the user's cache holds the
programs. Where Go fetches modules from is the machine's own Go settings.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.errors import StackError
from pipeline.local.user_cache import cache_root, maker
from pipeline.wire.process import bound_command

ETCD = "etcd"
API_SERVER = "kube-apiserver"
CONTROLLER_MANAGER = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
KUBECTL = "kubectl"
PROGRAMS = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER, KUBECTL)

BUILD_COMMAND = "python -m pipeline parts --install --cluster"
"""The one line that has `build_programs` done."""

_MODULE = Path(__file__).with_name("go")
_BUILD_TIMEOUT_S = 3600
# Kubernetes stamps its version into two packages; what is not stamped says v0.0.0-master
_STAMPED = ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
_ENVIRONMENT = {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -trimpath -buildvcs=false", "GOWORK": "off"}


@dataclass(frozen=True, slots=True)
class Programs:
    """One version of the programs in the cache."""

    root: Path

    @property
    def are_built(self) -> bool:
        """Whether they are there; then all are."""
        return (self.root / "bin").is_dir()

    def path(self, program: str) -> Path:
        """Where one of `PROGRAMS` is, or would be."""
        return self.root / "bin" / program


def find_programs() -> Programs:
    """The programs in the cache of this user, built or not.

    The key holds a hash of the Go module: another module makes other programs.
    """
    digest = hashlib.sha256()
    for file in sorted(_MODULE.rglob("*")):
        if file.is_file():
            digest.update(file.relative_to(_MODULE).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return Programs(cache_root() / "control-plane" / f"{read_version()}-{digest.hexdigest()[:12]}")


def read_version() -> str:
    """The version of Kubernetes that the Go module names, like ``v1.36.3``."""
    return _find(r"\sk8s\.io/kubernetes (v\S+)")


def find_go_fault() -> str | None:
    """Why the programs cannot be built on this machine; None if they can."""
    go = shutil.which("go")
    if go is None:
        return "no go on PATH"
    asked = subprocess.run((go, "env", "GOVERSION"), capture_output=True, text=True, check=False)  # noqa: S603
    found, needed = asked.stdout.strip().removeprefix("go"), _find(r"^go (\S+)")
    return None if _to_numbers(found) >= _to_numbers(needed) else f"Go {found}, {needed} or newer is needed"


def build_programs(programs: Programs) -> None:
    """Have the programs in the cache; nothing happens if they are. Takes minutes of all processors.

    It runs at the lowest priority. What Go has compiled before it was killed it need not compile again.

    Raises:
        StackError: Go is missing or could not build them, with its own reason.
    """
    if programs.are_built:
        return
    with maker(programs.root) as partial:
        if not programs.are_built:
            _run_go(partial / "bin")
            partial.rename(programs.root)


def _run_go(target: Path) -> None:
    fault = find_go_fault()
    if fault:
        raise StackError(f"the control plane is built by Go: {fault}")
    target.mkdir()
    build = ("nice", "-n19", "go", "build", f"-ldflags={_link_flags()}", "-o", f"{target}/", "./...")
    try:
        subprocess.run(  # noqa: S603 - our own module
            bound_command(build),
            cwd=_MODULE,
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_BUILD_TIMEOUT_S,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        reason = (error.output or b"no output").decode("utf-8", "replace").strip().splitlines()[-1]
        raise StackError(f"Go could not build Kubernetes {read_version()}: {reason}") from error


def _link_flags() -> str:
    """No symbols; the version as a release of Kubernetes states it."""
    version = read_version()
    major, minor, _ = version.removeprefix("v").split(".")
    values = {"gitVersion": version, "gitMajor": major, "gitMinor": minor}
    stamps = (f"-X {package}.{name}={value}" for package in _STAMPED for name, value in values.items())
    return " ".join(("-s -w", *stamps))


def _find(pattern: str) -> str:
    match = re.search(pattern, (_MODULE / "go.mod").read_text("utf-8"), re.MULTILINE)
    if match is None:
        raise StackError(f"{_MODULE / 'go.mod'} names no version")
    return match[1]


def _to_numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:2])
