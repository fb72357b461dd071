"""What the stack needs beyond Python packages: Java, Maven, flite, and the jars of Kafka.

As a cluster it needs a control plane, too, and Go to build it once. The tests of the page need a browser.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.control_plane.programs import (
    BUILD_COMMAND,
    build_programs,
    find_go_fault,
    find_programs,
    read_version,
)
from pipeline.local.errors import StackError
from pipeline.local.java import OLDEST_MAJOR, find_java
from pipeline.local.kafka_cache import VERSION, fetch_jars, kafka_cache, make_archive

INSTALL_COMMAND = "python -m pipeline parts --install"
_APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=60")
_APT_TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the machine.

    Attributes:
        name: how the stack and its tests call it.
        find_fault: why it cannot be used; None if it can.
        command: the one line that brings it.
        package: the Debian package that brings it, where one does.
    """

    name: str
    find_fault: Callable[[], str | None]
    command: str
    package: str | None = None


def _find_java_fault() -> str | None:
    java = find_java()
    if java is None:
        return "no java that runs"
    return None if java.major >= OLDEST_MAJOR else f"Java {java.version}, {OLDEST_MAJOR} or newer is needed"


def _find_jars_fault() -> str | None:
    return None if kafka_cache().has_jars else f"the jars of Kafka {VERSION} are not in {kafka_cache().root}"


def _find_program_fault(program: str) -> str | None:
    return None if shutil.which(program) else f"no {program} on PATH"


def _find_programs_fault() -> str | None:
    programs = find_programs()
    return None if programs.are_built else f"Kubernetes {read_version()} is not in {programs.root}"


def _packaged(name: str, find_fault: Callable[[], str | None], package: str) -> Part:
    return Part(name, find_fault, f"apt-get install --yes {package}", package)


PARTS = (
    _packaged("java", _find_java_fault, "default-jre-headless"),
    _packaged("maven", lambda: _find_program_fault("mvn"), "maven"),
    _packaged("flite", lambda: _find_program_fault("flite"), "flite"),
    Part("kafka", _find_jars_fault, INSTALL_COMMAND),
)
CLUSTER_PARTS = (
    # Debian's own is too old
    Part("go", find_go_fault, "see go.dev/doc/install"),
    Part("control-plane", _find_programs_fault, BUILD_COMMAND),
)
BROWSER_PARTS = (_packaged("chromium", lambda: _find_program_fault("chromium"), "chromium"),)
_ALL_PARTS = (*PARTS, *CLUSTER_PARTS, *BROWSER_PARTS)


def missing_parts(names: Iterable[str]) -> dict[str, str | None]:
    """For each of `names` why it cannot be used, or None. Kafka's jars may still have to be fetched."""
    wanted = set(names)
    needed = wanted | {"java", "maven", "kafka"} if "kafka" in wanted else wanted
    faults = {part.name: part.find_fault() for part in _ALL_PARTS if part.name in needed}
    if "kafka" in wanted:
        cannot_be_fetched = faults["kafka"] if faults["maven"] else None
        faults["kafka"] = faults["java"] or cannot_be_fetched
    return {name: faults[name] for name in wanted}


def list_parts(*, cluster: bool = False, browser: bool = False) -> tuple[list[str], bool]:
    """A line for each part, and whether all are there; those of a cluster or a browser if asked."""
    parts = (*PARTS, *(CLUSTER_PARTS if cluster else ()), *(BROWSER_PARTS if browser else ()))
    faults = [(part, part.find_fault()) for part in parts]
    lines = [
        f"{part.name:14}missing  {fault}; get it: {part.command}" if fault else f"{part.name:14}present"
        for part, fault in faults
    ]
    return lines, not any(fault for _, fault in faults)


def install_parts(
    report: Callable[[str], None], *, cluster: bool = False, browser: bool = False
) -> list[str]:
    """Get what is missing; a line for each part that is missing still, with the command for it.

    Says nothing through `report` and is done at once when all is there.
    """
    packaged = (*PARTS, *BROWSER_PARTS) if browser else PARTS
    lines = _install_packages([part for part in packaged if part.package and part.find_fault()], report)
    made = [(PARTS[-1], _install_kafka(report))]
    if cluster:
        made.append((CLUSTER_PARTS[-1], _install_control_plane(report)))
    return lines + [_to_line(part, fault) for part, fault in made if fault]


def _install_control_plane(report: Callable[[str], None]) -> str | None:
    """The programs, built; None, or why they are not there."""
    programs = find_programs()
    if not programs.are_built and not find_go_fault():
        report(f"building Kubernetes {read_version()}, once: some minutes")
    try:
        build_programs(programs)
    except (StackError, OSError) as error:
        return str(error)
    return None


def _install_packages(parts: Sequence[Part], report: Callable[[str], None]) -> list[str]:
    if not parts:
        return []
    report(f"installing {', '.join(part.name for part in parts)}")
    reason = _run_apt([part.package for part in parts if part.package])
    faults = ((part, part.find_fault()) for part in parts)
    return [_to_line(part, reason or fault) for part, fault in faults if fault]


def _run_apt(packages: list[str]) -> str | None:
    """Install `packages` as root; None, or why that failed."""
    root = () if os.geteuid() == 0 else ("sudo", "-n")
    if shutil.which("apt-get") is None or (root and shutil.which("sudo") is None):
        return "apt-get or the right to use it is missing"
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for action in (("update",), ("install", "--yes", "--no-install-recommends", *packages)):
        try:
            subprocess.run(  # noqa: S603 - our own package names
                (*root, *_APT, *action),
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=_APT_TIMEOUT_S,
                check=True,
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            return _last_line(error.output) or f"apt-get {action[0]} failed"
    return None


def _last_line(output: bytes | None) -> str:
    lines = (output or b"").decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip() if lines else ""


def _install_kafka(report: Callable[[str], None]) -> str | None:
    """Jars and class archive; None, or why Kafka cannot run."""
    cache, java = kafka_cache(), find_java()
    if java is None or java.major < OLDEST_MAJOR:
        return "Java is missing"
    try:
        if not cache.has_jars:
            report(f"fetching Kafka {VERSION}")
            fetch_jars(cache)
        if not cache.archive(java).exists():
            report("preparing Kafka for a quick start")
            make_archive(cache, java, _write_archive)
    except (StackError, OSError) as error:
        # a broker without the archive only starts more slowly
        return None if cache.has_jars else str(error)
    return None


def _write_archive(path: Path) -> None:
    from pipeline.local.kafka import write_class_archive  # noqa: PLC0415 - asyncio and more, once a machine

    write_class_archive(path)


def _to_line(part: Part, fault: str) -> str:
    return f"{part.name} is missing ({fault}); get it: {part.command}"
