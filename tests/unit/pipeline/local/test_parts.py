from __future__ import annotations

import subprocess
import sys

import pytest

from pipeline.local import parts
from pipeline.local.kafka_cache import kafka_cache
from pipeline.local.parts import INSTALL_COMMAND, install_parts, list_parts, missing_parts

JAVA = "echo 'openjdk version \"17.0.1\"' >&2"


@pytest.fixture
def machine(make_program, monkeypatch, tmp_path):
    """A machine with nothing on it: `machine(name=script, ...)` puts programs there."""
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setattr(parts.os, "geteuid", lambda: 0)

    def put(**programs):
        for name, script in programs.items():
            make_program(name.replace("_", "-"), script)

    return put


def put_jars():
    kafka_cache().libs.mkdir(parents=True)


def test_all_is_missing_on_an_empty_machine(machine):
    """Each line names the part, why it is missing, and the one command that brings it."""
    lines, complete = list_parts()

    assert not complete
    assert [line.split()[:2] for line in lines] == [
        [name, "missing"] for name in ("java", "maven", "flite", "kafka")
    ]
    assert lines[2].endswith("get it: apt-get install --yes flite")
    assert lines[3].endswith(f"get it: {INSTALL_COMMAND}")


def test_all_is_present(machine):
    """With all programs and the jars there, all is present."""
    machine(java=JAVA, mvn="", flite="")
    put_jars()

    lines, complete = list_parts()

    assert complete
    assert {line.split()[1] for line in lines} == {"present"}


def test_a_browser_is_for_the_tests_of_the_page_alone(machine):
    """Who does not ask for it is not told of it."""
    machine(java=JAVA, mvn="", flite="")
    put_jars()

    assert list_parts()[1]
    lines, complete = list_parts(browser=True)
    assert not complete
    assert lines[-1].endswith("get it: apt-get install --yes chromium")
    machine(chromium="")
    assert list_parts(browser=True)[1]
    assert missing_parts(["chromium"]) == {"chromium": None}


def test_old_java_is_missing(machine):
    """A Java before 17 cannot run the broker, and the reason says so."""
    machine(java="echo 'openjdk version \"11.0.2\"' >&2")

    assert missing_parts(["java"]) == {"java": "Java 11.0.2, 17 or newer is needed"}


@pytest.mark.parametrize(
    ("programs", "jars", "usable"),
    [
        ({"java": JAVA, "mvn": ""}, False, True),
        ({"java": JAVA}, True, True),
        ({"java": JAVA}, False, False),
        ({"mvn": ""}, True, False),
        ({}, False, False),
    ],
)
def test_kafka_needs_java_and_a_way_to_the_jars(machine, programs, jars, usable):
    """For a test Kafka is there if Java is, and the jars are cached or can be fetched."""
    machine(**programs)
    if jars:
        put_jars()

    assert (missing_parts(["kafka"])["kafka"] is None) is usable


def test_only_what_is_asked_for_is_answered(machine):
    """A test that needs flite hears of flite."""
    machine(flite="")

    assert missing_parts(["flite"]) == {"flite": None}


def test_install_says_nothing_when_all_is_there(machine):
    """A machine that is complete is left alone, quietly."""
    machine(java=JAVA, mvn="exit 1", flite="", apt_get="exit 1")
    put_jars()
    java = parts.find_java()
    assert java
    kafka_cache().archive(java).touch()
    said = []

    assert install_parts(said.append) == []
    assert said == []


def test_install_gets_the_packages(machine, tmp_path):
    """What is missing is installed by its Debian package, after the lists are updated."""
    machine(
        java=JAVA,
        mvn="",
        apt_get=f'echo "$@" >> {tmp_path}/apt; case "$*" in *flite*) printf "#!/bin/sh" > {tmp_path}/bin/flite; /bin/chmod +x {tmp_path}/bin/flite;; esac',
    )
    put_jars()
    java = parts.find_java()
    assert java
    kafka_cache().archive(java).touch()
    said = []

    assert install_parts(said.append) == []
    assert said == ["installing flite"]
    update, install = (tmp_path / "apt").read_text().splitlines()
    assert update.endswith("update")
    assert install.endswith("install --yes --no-install-recommends flite")


def test_install_without_rights_names_part_and_command(machine, monkeypatch):
    """Where nothing can be installed there is one line for each missing part, and no exception."""
    monkeypatch.setattr(parts.os, "geteuid", lambda: 1000)
    machine(apt_get="exit 0", sudo='echo "sudo: a password is required" >&2; exit 1')

    lines = install_parts(lambda _: None)

    assert [line.partition(" ")[0] for line in lines] == ["java", "maven", "flite", "kafka"]
    assert lines[0] == (
        "java is missing (sudo: a password is required); get it: apt-get install --yes default-jre-headless"
    )


def test_install_without_apt_names_part_and_command(machine):
    """The same on a system that has no apt-get."""
    lines = install_parts(lambda _: None)

    assert len(lines) == 4
    assert all("; get it: " in line for line in lines)


def test_install_fetches_the_jars(machine):
    """Kafka's jars are fetched; a class archive that cannot be made costs only some speed."""
    machine(java=JAVA, mvn="/bin/mkdir libs && echo x > libs/kafka.jar", flite="")
    said = []

    lines = install_parts(said.append)

    assert lines == []
    assert said[0] == "fetching Kafka 4.3.1"
    assert kafka_cache().has_jars


def test_listing_starts_no_program():
    """Asking for the parts costs little more than starting Python: no Java, no Maven is run for it."""
    script = (
        "import sys; sys.addaudithook(lambda event, _: event == 'subprocess.Popen' and print(event)); "
        "from pipeline.local.parts import list_parts; list_parts()"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, timeout=60)

    assert done.stdout == b""
