"""``diag config`` as users run it: a file to begin with, what is in force and why, every fault at once."""

from __future__ import annotations

import json
import stat
import tomllib
from importlib import resources
from pathlib import Path

import jsonschema
import pytest

from diag.config import load_settings, name_variables
from diag.config.kafka import NOT_IN_FILES
from diag.model.settings import Settings

SCHEMA = json.loads(resources.files("diag.render").joinpath("config_v1.schema.json").read_text("utf-8"))
KUBECONFIG = """\
current-context: gke_shop_europe-west1_voice
contexts:
- name: gke_shop_europe-west1_voice
  context: {cluster: c, user: u, namespace: agents}
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: u, user: {token: not-a-token}}]
"""


@pytest.fixture
def kubeconfig(workdir: Path) -> str:
    """A context of GKE's."""
    path = workdir / "kube.yaml"
    path.write_text(KUBECONFIG)
    return str(path)


def shown(done) -> dict[str, dict]:
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    return {row["name"]: row for row in document["settings"]}


def test_a_new_file_holds_every_setting_and_changes_none(diag, workdir: Path) -> None:
    """As it is written, and with every line of it in use; only its owner may read it. Secrets have no line."""
    done = diag("config", "init")
    path = workdir / "diag.toml"

    assert (done.returncode, done.stdout) == (0, "")
    assert "diag.toml" in done.stderr
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    text = path.read_text()
    in_use = "".join(
        line[line.startswith("#") and not line.startswith("# ") :] for line in text.splitlines(True)
    )
    given = {f"{group}.{key}" for group, rows in tomllib.loads(in_use).items() for key in rows}
    assert given == set(name_variables().values()) - set(NOT_IN_FILES)
    (workdir / "all.toml").write_text(in_use)
    for name in ("diag.toml", "all.toml"):
        settings = load_settings({}, {}, Path(workdir, name))
        assert {s: getattr(settings, s) for s in Settings.__slots__ if s != "file"} == {
            s: getattr(Settings(), s) for s in Settings.__slots__ if s != "file"
        }
    assert max(map(len, text.splitlines())) <= 80
    assert diag("config", "validate").returncode == 0


def test_a_new_file_has_what_the_kubeconfig_tells(diag, workdir: Path, kubeconfig: str) -> None:
    """Project, location, cluster and namespace; no credential of it."""
    diag("config", "init", "mine.toml", KUBECONFIG=kubeconfig)
    text = (workdir / "mine.toml").read_text()

    assert {group: rows for group, rows in tomllib.loads(text).items() if rows} == {
        "logging": {"project": "shop"},
        "cluster": {"name": "voice", "location": "europe-west1", "namespace": "agents"},
    }
    assert "not-a-token" not in text


@pytest.mark.parametrize("there", ["a file", "a link into nowhere", "a folder"])
def test_what_is_there_is_never_touched(diag, workdir: Path, there: str) -> None:
    """Exit 2, one line, and what to do."""
    path = workdir / "diag.toml"
    if there == "a file":
        path.write_text("[kafka]\n")
    elif there == "a folder":
        path.mkdir()
    else:
        path.symlink_to("elsewhere.toml")
    done = diag("config", "init")

    assert done.returncode == 2
    assert "is there already (name another file" in done.stderr
    assert done.stderr.count("\n") == 1
    assert not (workdir / "elsewhere.toml").exists()
    assert there != "a file" or path.read_text() == "[kafka]\n"


def test_a_file_where_none_can_be_is_wrong_usage(diag) -> None:
    """One line."""
    done = diag("config", "init", "nowhere/diag.toml")

    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


def test_every_setting_says_where_it_came_from(diag, workdir: Path, kubeconfig: str) -> None:
    """Default, kubeconfig, file with its line, environment, option: the first of them wins."""
    (workdir / "diag.toml").write_text(
        '[logging]\n# mine\nquota = 30\nmax_pages = 7\n[kafka]\nbootstrap = "a:1"\n'
    )
    done = diag(
        "config", "show", "-o", "json", "--kafka", "b:2", KUBECONFIG=kubeconfig,
        DIAG_LOGGING_QUOTA="20", DIAG_KAFKA_BOOTSTRAP="c:3", DIAG_CATALOGUE_FILES="x.toml,y.toml",
    )  # fmt: skip
    rows = {name: (row["value"], row["origin"], row["where"]) for name, row in shown(done).items()}

    assert done.returncode == 0
    assert list(rows) == list(name_variables().values())
    assert rows["kafka.bootstrap"] == ("b:2", "option", None)
    assert rows["logging.quota"] == (20, "environment", "DIAG_LOGGING_QUOTA")
    assert rows["catalogue.files"] == (["x.toml", "y.toml"], "environment", "DIAG_CATALOGUE_FILES")
    assert rows["logging.max_pages"] == (7, "file", "diag.toml:4")
    assert rows["logging.project"] == ("shop", "kubeconfig", None)
    assert rows["cluster.namespace"] == ("agents", "kubeconfig", None)
    assert rows["report.fail_on"] == ("warning", "default", None)
    assert "not-a-token" not in done.stdout


def test_what_another_clients_file_says_is_shown_as_its_own_and_its_password_is_not(
    diag, workdir: Path
) -> None:
    """Of what it hides in the file below it the default is shown."""
    (workdir / "c.properties").write_text(
        "bootstrap.servers=a:1\nsasl.mechanism=PLAIN\nsasl.username=u\nsasl.password=hunter2\n"
    )
    (workdir / "diag.toml").write_text('[kafka]\nbootstrap = "b:2"\nca_file = "ca.pem"\ntimeout_s = 3\n')
    secret = {"DIAG_KAFKA_KEY_PASSWORD": "hunter3"}
    done = diag("config", "show", "-o", "json", "--kafka-config", "c.properties", **secret)
    rows = {name: (row["value"], row["origin"], row["where"]) for name, row in shown(done).items()}

    assert rows["kafka.bootstrap"] == ("a:1", "kafka-config", "c.properties")
    assert rows["kafka.password"] == ("(set)", "kafka-config", "c.properties")
    assert rows["kafka.key_password"] == ("(set)", "environment", "DIAG_KAFKA_KEY_PASSWORD")
    assert rows["kafka.ca_file"] == ("", "default", None)
    assert rows["kafka.timeout_s"] == (3.0, "file", "diag.toml:4")
    assert "hunter" not in done.stdout + done.stderr


def test_a_password_in_a_settings_file_is_a_fault_with_its_line(diag, workdir: Path) -> None:
    """And so is another client's file that can not be used, or a connection that does not fit together."""
    for text, words in (
        ('[kafka]\npassword = "hunter2"\n', "diag.toml:2: kafka.password does not belong in this file"),
        ('[kafka]\nconfig = "gone.properties"\n', "gone.properties: No such file"),
        ('[kafka]\nbootstrap = "a:1"\nusername = "u"\n', "kafka.mechanism is missing"),
    ):
        (workdir / "diag.toml").write_text(text)
        done = diag("config", "validate")

        assert done.returncode == 2
        assert words in done.stdout + done.stderr
        assert "hunter2" not in done.stdout + done.stderr


def test_every_setting_has_a_meaning(diag) -> None:
    """From its definition, the one place that has it."""
    assert [
        row["name"] for row in shown(diag("config", "show", "-o", "json")).values() if not row["meaning"]
    ] == []


def test_the_terminal_view_fits_its_columns_and_is_harmless(diag) -> None:
    """Whatever a value holds."""
    done = diag(
        "config", "show", DIAG_KAFKA_BOOTSTRAP="broker-of-a-long-name:9092," * 9,
        DIAG_CLUSTER_NAME="\x1b[31m\u202e" + "x" * 200, DIAG_LOGGING_ENDPOINT="https://h:1",
    )  # fmt: skip

    assert done.returncode == 0
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert all(line.isprintable() for line in done.stdout.splitlines())
    assert "DIAG_CLUSTER_NAME" in done.stdout


@pytest.mark.parametrize("name", ["DIAG_KAFKA_BOOTSTRAP", "DIAG_LOGGING_ENDPOINT"])
def test_who_logs_in_by_an_address_is_refused_and_not_shown(diag, name: str) -> None:
    """Every error and the coverage would name the address."""
    done = diag("config", "show", **{name: "https://me:hunter2@broker:9092"})

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "hunter2" not in done.stderr


def test_a_wrong_setting_is_wrong_usage(diag) -> None:
    """Exit 2, nothing on stdout."""
    done = diag("config", "show", "--quota", "many")

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


def test_every_fault_is_named_at_once_with_its_line(diag, workdir: Path) -> None:
    """And the nearest name that is known, or what is allowed."""
    (workdir / "my.toml").write_text(
        'loose = 1\n[kafka]\nbootstrp = "x"\ntimeout_s = 0\nmax_records = "9"\n\n[kafak]\nbootstrap = "y"\n'
        "[nothing]\n[report]\nfail_on = 'bad'\n[catalogue]\nfiles = [\n  7,\n]\n[cluster.deep]\nname = 1\n"
    )
    done = diag("config", "validate", "my.toml", DIAG_LOGGING_QUOTA="not looked at")

    assert done.returncode == 2
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        f"my.toml:{number}:" for number in (1, 3, 4, 8, 9, 11, 13, 16)
    ]
    assert lines[1] == "my.toml:3: no setting kafka.bootstrp; did you mean kafka.bootstrap?"
    assert "kafka.timeout_s must be a number from 0.1 to 600.0, not 0" in lines[2]
    assert "did you mean kafka.bootstrap?" in lines[3]
    assert "must be one of info, warning, error, critical" in lines[5]


def test_without_a_file_named_what_commands_use_here_is_checked(diag, workdir: Path) -> None:
    """``diag.toml`` and the environment; where there is neither, that is said."""
    nothing = diag("config", "validate")
    assert (nothing.returncode, "all defaults" in nothing.stdout) == (0, True)

    (workdir / "diag.toml").write_text('[cluster]\nname = "voice"\n')
    good = diag("config", "validate", DIAG_LOGGING_QUOTA="5")
    assert good.returncode == 0
    assert good.stdout == "diag.toml: 1 setting, all right\nthe environment: 1 setting, all right\n"

    wrong = diag("config", "validate", DIAG_LOGGING_QUOTA="0", DIAG_KAFKA_BOTSTRAP="x")
    assert wrong.returncode == 2
    assert (
        "the environment: no setting DIAG_KAFKA_BOTSTRAP; did you mean DIAG_KAFKA_BOOTSTRAP?" in wrong.stdout
    )
    assert "give another value to DIAG_LOGGING_QUOTA" in wrong.stdout


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ('[logging]\n\nendpoint = "http://10.0.0.1:80"', "my.toml:3:", "only an address of this machine"),
        ('[kafka]\nbootstrap = "broker"', "my.toml:2:", "must be host:port"),
        ('[topics]\nfile = "t.toml"', "my.toml:2:", "t.toml"),
        ('[catalogue]\nfiles = ["c.toml"]', "c.toml:1:", "unknown key"),
        ('[catalogue]\nfiles = ["gone.toml"]', "gone.toml:", "can not be read"),
        ("[kafka\n", "my.toml:1:", "no TOML"),
        ("a\xff", "my.toml:1:", "no TOML"),
        ("x = " + "[" * 9000, "my.toml:", "nested too deeply"),
    ],
)
def test_values_that_no_source_would_take_are_faults(
    diag, workdir: Path, text: str, place: str, words: str
) -> None:
    """Of the right type, and wrong all the same; files that are named are looked into."""
    (workdir / "c.toml").write_text("[idz]\n")
    (workdir / "my.toml").write_text(text)
    done = diag("config", "validate", "my.toml")

    assert done.returncode == 2
    assert done.stdout.count("\n") == 1
    assert done.stdout.startswith(place)
    assert words in done.stdout
    assert done.stderr == ""


def test_a_file_that_is_not_there_is_a_fault(diag) -> None:
    """It was named, so it is meant."""
    done = diag("config", "validate", "nope.toml")

    assert (done.returncode, done.stdout.startswith("nope.toml: it can not be read")) == (2, True)
