"""The jars of Apache Kafka, fetched once by Maven into the user's cache, and a class archive of them.

``kafka-<version>/`` in the user's cache holds the generated ``pom.xml``, ``libs/`` and one
``classes-<Java version>.jsa``. Where Maven fetches from is the machine's own Maven settings.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.local.errors import StackError
from pipeline.local.java import Java
from pipeline.local.user_cache import cache_root, maker
from pipeline.wire.process import bound_command

VERSION = "4.3.1"
_FETCH_TIMEOUT_S = 600
_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>local</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <!-- without a binding of SLF4J the broker logs nothing -->
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""


@dataclass(frozen=True, slots=True)
class KafkaCache:
    """One version of Kafka in the cache."""

    root: Path

    @property
    def libs(self) -> Path:
        """The folder of the jars."""
        return self.root / "libs"

    @property
    def has_jars(self) -> bool:
        """Whether the jars are there; then they are complete."""
        return self.libs.is_dir()

    def archive(self, java: Java) -> Path:
        """Where the class archive for this Java is, or would be: another Java cannot use it."""
        return self.root / f"classes-{java.version}.jsa"

    def class_path(self) -> str:
        """The jars in a fixed order: the archive holds only for the class path it was made with."""
        return os.pathsep.join(str(jar) for jar in sorted(self.libs.glob("*.jar")))


def kafka_cache() -> KafkaCache:
    """Kafka in the cache of this user."""
    return KafkaCache(cache_root() / f"kafka-{VERSION}")


def fetch_jars(cache: KafkaCache, maven: str = "mvn") -> None:
    """Have the jars in the cache; nothing happens if they are.

    Raises:
        StackError: Maven is missing or could not fetch them, with its own reason.
    """
    if cache.has_jars:
        return
    with maker(cache.root) as partial:
        if not cache.has_jars:
            (partial / "pom.xml").write_text(_POM, "utf-8")
            _run_maven(maven, partial)
            shutil.rmtree(cache.root, ignore_errors=True)  # a folder without jars is of no use
            partial.rename(cache.root)


def make_archive(cache: KafkaCache, java: Java, run_broker: Callable[[Path], None]) -> None:
    """Have the class archive for `java` in the cache; nothing happens if it is.

    `run_broker` starts and stops a broker that writes the archive to the given path.
    """
    if cache.archive(java).exists():
        return
    with maker(cache.root) as partial:
        if not cache.archive(java).exists():
            run_broker(partial / "classes.jsa")
            (partial / "classes.jsa").rename(cache.archive(java))


def _run_maven(maven: str, folder: Path) -> None:
    command = (maven, "--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=libs")
    if shutil.which(maven) is None:
        raise StackError(
            "Kafka's jars are fetched by Maven, which is not installed: apt-get install --yes maven"
        )
    try:
        subprocess.run(  # noqa: S603 - fixed arguments
            bound_command(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=_FETCH_TIMEOUT_S,
            check=True,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise StackError(f"Maven could not fetch Kafka {VERSION}: {_reason(error.output or b'')}") from error


def _reason(output: bytes) -> str:
    """The first error of Maven's output, in one line."""
    lines = output.decode("utf-8", "replace").splitlines()
    errors = [line.removeprefix("[ERROR]").strip() for line in lines if "ERROR" in line]
    return (errors or lines or ["no output"])[0]
