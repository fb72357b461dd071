"""The Dockerfile's instructions, carried out in a folder: what they install starts, and nothing else is needed.

No image is built: the Debian layer is this machine's, its packages (``apt-get``) and user are left out
and named in `NOT_RUN`. All stages share one folder, but for ``/app``, which each target has for itself.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.pipeline.deploy.dockerfile import Instruction, chain, read_dockerfile, targets
from tests.unit.pipeline.deploy.manifests import DEPLOY, environment_of, of_kind

ROOT = DEPLOY.parents[1]
STAGES = read_dockerfile()
NOT_RUN = ("apt-get ", "groupadd ")
START_S = 60
# pip's cache is the person's: the tests' own would fetch everything each time.
PIP_CACHE = os.environ.get(
    "PIP_CACHE_DIR", str(Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "pip").expanduser())
)


@dataclass
class Build:
    """A container's filesystem below `root`, as far as instructions have changed it."""

    root: Path
    app: Path

    def path(self, inside: str, workdir: str) -> Path:
        """Where a path of the container is here."""
        absolute = Path(workdir, inside)
        if absolute.is_relative_to("/app"):
            return self.app / absolute.relative_to("/app")
        return self.root / absolute.relative_to("/")

    def shift(self, text: str) -> str:
        """`text` with the container's folders replaced by ours."""
        return text.replace("/opt/venv", str(self.root / "opt/venv"))

    def run(self, instructions: list[Instruction]) -> dict[str, str]:
        """Carry `instructions` out; the environment that they leave behind."""
        workdir = "/"
        environment = {"PATH": f"{self.root / 'base'}:/usr/bin:/bin", "PIP_CACHE_DIR": PIP_CACHE}
        for instruction in instructions:
            match instruction.name:
                case "WORKDIR":
                    workdir = instruction.rest
                    self.path(".", workdir).mkdir(parents=True, exist_ok=True)
                case "ENV":
                    environment |= dict(word.split("=", 1) for word in self.shift(instruction.rest).split())
                case "COPY":
                    self._copy(instruction, workdir)
                case "RUN" if not instruction.rest.startswith(NOT_RUN):
                    self._execute(instruction, workdir, environment)
        return environment

    def _copy(self, instruction: Instruction, workdir: str) -> None:
        *sources, target = instruction.words
        if instruction.flags:
            assert self.path(sources[0], "/") == self.path(target, workdir), "one folder stands for both"
            return
        for source in sources:
            goal = self.path(target, workdir) / (Path(source).name if target.endswith("/") else "")
            goal.parent.mkdir(parents=True, exist_ok=True)
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, goal, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(ROOT / source, goal)

    def _execute(self, instruction: Instruction, workdir: str, environment: dict[str, str]) -> None:
        done = subprocess.run(
            ["/bin/sh", "-c", self.shift(instruction.rest)],
            cwd=self.path(".", workdir),
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        output = f"{instruction.rest}\n{done.stdout}{done.stderr}"
        if "NewConnectionError" in output and os.environ.get("CI") != "true":
            pytest.skip("the package index cannot be reached")
        assert done.returncode == 0, output


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The filesystem after the stage that installs the packages."""
    root = tmp_path_factory.mktemp("image")
    (root / "base").mkdir()
    for name in ("python", "python3"):
        (root / "base" / name).symlink_to(Path(sys.base_prefix, "bin", "python3"))
    Build(root, root / "no-app").run(chain(STAGES, "packages"))
    return root


def start(name: str, root: Path, folder: Path) -> subprocess.Popen[str]:
    """The target's CMD, as its manifest would have it, but on the loopback interface."""
    build = Build(root, folder / "app")
    environment = build.run(chain(STAGES, name))
    (command,) = STAGES[name].named("CMD")
    variables = environment_of(of_kind("Deployment")[name]) | {"HOST": "127.0.0.1", "PORT": "0"}
    del variables["LISTEN_BEYOND_LOOPBACK"]
    local = {key: "127.0.0.1:9" for key in variables if key == "KAFKA_BOOTSTRAP"}
    local |= {
        key: f"{value.partition('://')[0]}://127.0.0.1:9"
        for key, value in variables.items()
        if key.endswith("_URL")
    }
    local |= {key: str(folder / "state") for key in variables if key == "STATE_DIR"}
    return subprocess.Popen(
        command.words,
        executable=shutil.which(command.words[0], path=environment["PATH"]),
        cwd=build.app,
        env=environment | variables | local,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", targets(STAGES))
def test_what_the_image_installs_is_all_that_the_service_needs(name: str, root: Path, tmp_path: Path) -> None:
    """It starts, answers its liveness probe, and ends on SIGTERM with status 0; without Kafka, too."""
    (tmp_path / "state").mkdir()
    process = start(name, root, tmp_path)
    try:
        port = _read_port(process)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=START_S) as response:
            health = json.load(response)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=START_S)
    finally:
        process.kill()
        process.wait()

    assert health == {"status": "alive"}
    assert (process.returncode, errors) == (0, "")


def _read_port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    for line in process.stdout:
        fields = json.loads(line)
        if fields["message"] == "Service started":
            return fields["port"]
    pytest.fail(f"it did not start: {process.stderr.read() if process.stderr else ''}")
