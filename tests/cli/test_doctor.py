"""``diag doctor`` as users run it, where nothing can be reached. With real parts: tests/contract."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from tests.cli.conftest import DIAG, clean_environment

SCHEMA = json.loads(resources.files("diag.render").joinpath("doctor_v1.schema.json").read_text("utf-8"))
GCLOUD = "764086051850-6qr4p6gpi6hn506pt8ejuq83di341hur.apps.googleusercontent.com"
"""The client that gcloud logs in as; it is no secret, and the library has a remark for it."""

ALL = ["settings", "credentials", "log-entries", "log-export", "clock", "kafka", "kafka-rights", "kubernetes", "repository", "manifests", "terminal"]  # fmt: skip


def told(done) -> dict[str, dict]:
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    return {row["name"]: row for row in document["probes"]}


@pytest.fixture
def silent() -> Iterator[str]:
    """An address where somebody takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


def test_without_anything_named_nothing_is_asked(diag) -> None:
    """Every probe is told, exit 0, 80 columns."""
    done = diag("doctor")

    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert list(told(diag("doctor", "-o", "json"))) == ALL
    assert done.stdout.splitlines()[-1] == "2 ok, 9 not asked"


def test_what_refuses_is_failed_with_what_to_do(diag) -> None:
    """What needs it is not tried. Exit 4."""
    done = diag(
        "doctor", "-o", "json", "--project", "p", "--logging-endpoint", "http://127.0.0.1:9",
        "--kafka", "127.0.0.1:9",
    )  # fmt: skip
    probes = told(done)

    assert done.returncode == 4
    assert {name for name, row in probes.items() if row["state"] == "failed"} == {"log-entries", "kafka"}
    assert "127.0.0.1:9" in probes["log-entries"]["evidence"]
    assert "--kafka" in probes["kafka"]["remedy"]
    assert probes["kafka-rights"]["evidence"] == "needs kafka, which failed"


def test_what_never_answers_holds_up_neither_the_others_nor_the_end(diag, silent: str) -> None:
    """Both at once, each within its time, and the process ends."""
    began = time.monotonic()
    done = diag(
        "doctor", "-o", "json", "--project", "p", "--logging-endpoint", f"http://{silent}", "--kafka", silent,
    )  # fmt: skip
    probes = told(done)

    assert done.returncode == 4
    assert probes["log-entries"]["state"] == probes["kafka"]["state"] == "failed"
    assert probes["terminal"]["state"] == "ok"
    assert time.monotonic() - began < 50


@pytest.mark.parametrize(
    ("option", "value", "probe", "words"),
    [
        ("--logging-endpoint", "http://10.0.0.1:80", "settings", "only an address of this machine"),
        ("--kafka", "no address", "settings", "must be host:port"),
        ("--catalogue", "gone.toml", "settings", "gone.toml"),
    ],
)
def test_a_value_that_no_source_would_take_is_told(
    diag, option: str, value: str, probe: str, words: str
) -> None:
    """By option as by file."""
    done = diag(
        "doctor", "-o", "json", "--project", "p", "--logging-endpoint", "http://127.0.0.1:9", option, value
    )

    assert done.returncode == 2
    assert words in told(done)[probe]["evidence"]


@pytest.mark.parametrize("text", ["{{{", "[]", "\x00", "contexts: 7\ncurrent-context: y"])
def test_a_kubeconfig_that_is_none_is_no_fault(diag, workdir: Path, text: str) -> None:
    """Nothing is found in it, that is all."""
    (workdir / "kube").write_text(text)
    done = diag("doctor", "-o", "json", KUBECONFIG=str(workdir / "kube"))

    assert done.returncode == 0
    assert told(done)["credentials"]["state"] == "not_asked"


def test_what_the_kubeconfig_names_and_is_not_usable_is_not_asked(diag, workdir: Path) -> None:
    """With the reason and what to do: nobody named it, so nothing failed. No credential is told."""
    (workdir / "kube").write_text(
        "current-context: gke_shop_europe-west1_voice\ncontexts: [{name: gke_shop_europe-west1_voice,"
        " context: {cluster: c, user: u}}]\nclusters: [{name: c, cluster: {}}]\n"
        "users: [{name: u, user: {token: not-a-token}}]\n"
    )
    (workdir / "key.json").write_text('{"type": "service_account", "private_key": "hunter2"}')
    done = diag(
        "doctor", "-o", "json", KUBECONFIG=str(workdir / "kube"),
        GOOGLE_APPLICATION_CREDENTIALS=str(workdir / "key.json"),
    )  # fmt: skip
    row = told(done)["credentials"]

    assert done.returncode == 0
    assert row["state"] == "not_asked"
    assert row["evidence"].startswith("found in the kubeconfig, not usable")
    assert "gcloud auth application-default login" in row["remedy"]
    assert not {"hunter2", "not-a-token"} & set(done.stdout.replace('"', " ").split())


def test_a_login_of_a_person_is_tried_and_nobodys_address_is_told(diag, workdir: Path) -> None:
    """Through the proxy that the environment names; the library's own remarks stay out of the way."""
    folder = workdir / ".config" / "gcloud"
    folder.mkdir(parents=True)
    (folder / "application_default_credentials.json").write_text(
        f'{{"type": "authorized_user", "client_id": "{GCLOUD}", "client_secret": "hunter2", "refresh_token": "hunter3",'
        ' "account": "me@example.org"}'
    )
    done = diag(
        "doctor", "-o", "json", "--project", "p", "--logging-endpoint", "127.0.0.1:9",
        HTTPS_PROXY="http://127.0.0.1:9",
    )  # fmt: skip
    row = told(done)["credentials"]

    assert (done.returncode, row["state"], done.stderr) == (4, "failed", "")
    assert "the token service does not answer" in row["evidence"]
    assert "HTTPS_PROXY" in row["remedy"]
    assert not any(word in done.stdout for word in ("hunter2", "hunter3", "me@example.org"))


def test_a_terminal_is_told_as_it_is(workdir: Path) -> None:
    """While progress is shown on it."""
    main, side = pty.openpty()
    environment = {**clean_environment(workdir), "TERM": "xterm", "COLUMNS": "90", "LINES": "30"}
    with os.fdopen(main, "rb", 0) as terminal:
        process = subprocess.Popen(
            [str(DIAG), "doctor"], stdin=side, stdout=side, stderr=side, cwd=workdir, env=environment
        )
        os.close(side)
        shown = b""
        with suppress(OSError):  # the end of a terminal
            while part := terminal.read(65_536):
                shown += part

    assert process.wait(60) == 0
    assert b"90 columns, utf-8, colours" in shown


def test_ctrl_c_ends_it_at_once(workdir: Path) -> None:
    """Whoever is silent: one line, 130, and no probe's time is waited for."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"127.0.0.1:{server.getsockname()[1]}"
        process = subprocess.Popen(
            [str(DIAG), "doctor", "--project", "p,q,r", "--logging-endpoint", f"http://{address}"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=workdir, env=clean_environment(workdir),
        )  # fmt: skip
        server.settimeout(120)
        connection, _ = server.accept()  # it asks, and waits
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=120)
        connection.close()

    assert time.monotonic() - began < 20  # a probe has 10 s for each project
    assert (process.returncode, out, err) == (130, b"", b"diag: interrupted; there is no result\n")


def test_a_file_takes_the_result(diag, workdir: Path) -> None:
    """Like that of any command."""
    assert diag("doctor", "--out", "d.txt").stdout == ""
    assert "not asked" in (workdir / "d.txt").read_text()
