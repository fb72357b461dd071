"""``diag topics`` without a broker: what it says. With a real one: tests/e2e."""

from __future__ import annotations

import pytest


def test_without_a_broker_named_there_is_nothing_to_compare(diag) -> None:
    """Exit 2 and the flag that names one."""
    done = diag("topics")

    assert done.returncode == 2
    assert "--kafka" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("flags", [(), ("--dry-run",), ("--create-missing",)])
def test_a_broker_that_is_not_there_is_a_failed_source(diag, flags: tuple[str, ...]) -> None:
    """Exit 4, one line, no traceback."""
    done = diag("topics", "--kafka", "127.0.0.1:9", *flags)

    assert done.returncode == 4
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "127.0.0.1:9" in done.stderr


@pytest.mark.parametrize(
    "flags",
    [
        ("--apply", "p.json", "--create-missing"),
        ("--save-plan", "p.json", "--create-missing"),
        ("--save-plan", "p.json", "--apply", "q.json"),
    ],
)
def test_one_order_at_a_time(diag, flags: tuple[str, ...]) -> None:
    """Exit 2 before anything is asked."""
    done = diag("topics", "--kafka", "127.0.0.1:9", *flags)

    assert done.returncode == 2
    assert "do not go together" in done.stderr


@pytest.mark.parametrize("name", ["none.json", "", "t.toml"])
def test_a_plan_that_is_none_is_wrong_usage(diag, workdir, name: str) -> None:
    """Exit 2, one line, and no broker is asked."""
    (workdir / "t.toml").write_text("[[topic]]\nname = 'x'\n")

    done = diag("topics", "--kafka", "127.0.0.1:9", "--apply", name)

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_wrong_list_of_topics_is_wrong_usage(diag, workdir) -> None:
    """Named with its place."""
    (workdir / "t.toml").write_text("[[topic]]\nnmae = 'x'\n")

    done = diag("topics", "--kafka", "127.0.0.1:9", DIAG_TOPICS_FILE="t.toml")

    assert done.returncode == 2
    assert "t.toml: topic 1" in done.stderr


@pytest.mark.parametrize("broker", ["::::", "host", "host:99999", "a b:9092"])
@pytest.mark.parametrize("command", [("topics",), ("session", "x", "no-such-file.json")])
def test_an_address_that_is_none_is_wrong_usage(diag, broker: str, command: tuple[str, ...]) -> None:
    """One line that names the setting and shows how it looks."""
    done = diag(*command, "--kafka", broker)

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert f"kafka.bootstrap (--kafka) must be host:port[,host:port], not '{broker}'" in done.stderr
    assert "--kafka broker:9092" in done.stderr


@pytest.mark.parametrize("given", [("--kafka-via", "proxy"), ()])
def test_a_way_that_is_none_is_wrong_usage(diag, given: tuple[str, ...]) -> None:
    """By flag or variable: exit 2 and what it may be."""
    done = diag("topics", "--kafka", "broker:9092", *given, **({} if given else {"DIAG_KAFKA_VIA": "proxy"}))

    assert done.returncode == 2
    assert done.stdout == ""
    assert "proxy" in done.stderr
    assert "port-forward" in done.stderr


def test_a_tunnel_without_a_cluster_is_a_failed_source(diag, workdir) -> None:
    """Exit 4, and what is missing is the kubeconfig."""
    done = diag("topics", "--kafka", "broker:9092", "--kafka-via", "port-forward", KUBECONFIG="none-here")

    assert done.returncode == 4
    assert done.stderr.startswith("diag: Kafka at broker:9092 can not be reached: Kubernetes: ")
    assert "none-here" in done.stderr
    assert done.stderr.count("\n") == 1
