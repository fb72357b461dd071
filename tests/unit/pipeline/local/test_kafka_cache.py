from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.local.errors import StackError
from pipeline.local.java import Java
from pipeline.local.kafka_cache import KafkaCache, fetch_jars, kafka_cache, make_archive

# what Maven does, as far as the cache can see it
FETCHES = (
    'echo fetched >> "$(dirname "$0")/../runs"; mkdir libs && echo x > libs/kafka.jar && echo x > libs/a.jar'
)
FAILS = 'mkdir libs && echo x > libs/half.jar; echo "[ERROR] Could not resolve kafka_2.13" >&2; exit 1'
JAVA = Java(Path("/usr/bin/java"), "17.0.15")


@pytest.fixture
def cache(tmp_path):
    return KafkaCache(tmp_path / "cache" / "kafka")


def list_around(cache):
    return sorted(path.name for path in cache.root.parent.iterdir())


def test_place_is_the_users_cache(monkeypatch, tmp_path):
    """XDG_CACHE_HOME moves the cache, unless it is relative; the default is ~/.cache."""
    monkeypatch.setenv("HOME", str(tmp_path))
    places = {}
    for value in ("/elsewhere", "relative", ""):
        monkeypatch.setenv("XDG_CACHE_HOME", value)
        places[value] = str(kafka_cache().root)

    assert places["/elsewhere"] == "/elsewhere/diag-pipeline/kafka-4.3.1"
    assert places["relative"] == places[""] == f"{tmp_path}/.cache/diag-pipeline/kafka-4.3.1"


def test_jars_are_fetched_once(cache, make_program, tmp_path):
    """Maven runs the first time only; the class path names every jar, in a fixed order."""
    maven = make_program("mvn", FETCHES)

    fetch_jars(cache, str(maven))
    fetch_jars(cache, str(maven))

    assert (tmp_path / "runs").read_text() == "fetched\n"
    assert cache.has_jars
    assert cache.class_path() == f"{cache.libs}/a.jar:{cache.libs}/kafka.jar"
    assert list_around(cache) == ["kafka", "kafka.lock"]


def test_failed_fetch_leaves_no_jars(cache, make_program):
    """Half a fetch is none, and Maven's own reason is in the one line of the error."""
    with pytest.raises(StackError, match=r"Maven could not fetch Kafka 4.3.1: Could not resolve kafka_2.13$"):
        fetch_jars(cache, str(make_program("mvn", FAILS)))

    assert not cache.has_jars
    assert list_around(cache) == ["kafka.lock"]


def test_missing_maven_is_named(cache):
    """Without Maven the error says what is missing."""
    with pytest.raises(StackError, match="Maven, which is not installed"):
        fetch_jars(cache, "/no/such/mvn")


def test_rest_of_a_killed_fetch_is_no_obstacle(cache, make_program):
    """What a killed process has left beside its place is cleared away."""
    partial = cache.root.with_name("kafka.partial")
    partial.mkdir(parents=True)
    (partial / "libs").write_text("in the way")

    fetch_jars(cache, str(make_program("mvn", FETCHES)))

    assert cache.has_jars


def test_two_processes_do_not_harm_each_other(cache, make_program, tmp_path):
    """Of several at once one fetches, and the others find what it fetched."""
    maven = make_program("mvn", f"sleep 0.3; {FETCHES}")
    script = (
        "import sys; from pathlib import Path; from pipeline.local.kafka_cache import KafkaCache, fetch_jars\n"
        "cache = KafkaCache(Path(sys.argv[1])); fetch_jars(cache, sys.argv[2]); print(cache.class_path())"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script, str(cache.root), str(maven)], stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    outputs = {process.communicate(timeout=60)[0].decode().strip() for process in processes}

    assert outputs == {cache.class_path()}
    assert (tmp_path / "runs").read_text() == "fetched\n"


def test_archive_is_made_once_for_each_java(cache, make_program):
    """An archive belongs to one Java; it appears when it is complete."""
    fetch_jars(cache, str(make_program("mvn", FETCHES)))
    made = []

    def run_broker(path):
        made.append(path)
        assert path.parent.is_dir()
        path.write_text("archive")

    make_archive(cache, JAVA, run_broker)
    make_archive(cache, JAVA, run_broker)
    make_archive(cache, Java(JAVA.program, "21.0.1"), run_broker)

    assert len(made) == 2
    assert sorted(path.name for path in cache.root.glob("*.jsa")) == [
        "classes-17.0.15.jsa",
        "classes-21.0.1.jsa",
    ]


def test_archive_that_was_not_written(cache, make_program):
    """A broker that writes nothing leaves nothing, and the jars stay."""
    fetch_jars(cache, str(make_program("mvn", FETCHES)))

    with pytest.raises(OSError, match=r"classes\.jsa"):
        make_archive(cache, JAVA, lambda _: None)

    assert cache.has_jars
    assert not cache.archive(JAVA).exists()
