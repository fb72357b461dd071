"""Settings: who wins, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from diag.config import load_settings, load_wanted_topics, name_variables
from diag.errors import SettingsError
from diag.model.findings import Severity
from diag.model.settings import Settings


def test_flag_beats_environment_beats_file_beats_default(workdir: Path) -> None:
    """Each layer is seen where the ones above are silent."""
    (workdir / "diag.toml").write_text(
        '[kafka]\nbootstrap = "file:1"\ntimeout_s = 3\n[logging]\nproject = "file"\nquota = 30\n'
    )
    environment = {"DIAG_KAFKA_BOOTSTRAP": "env:1", "DIAG_LOGGING_PROJECT": "env", "PATH": "/bin"}

    settings = load_settings({"kafka.bootstrap": "flag:1", "cluster.name": None}, environment)

    assert settings.kafka.bootstrap == "flag:1"
    assert settings.logging.project == "env"
    assert (settings.logging.quota, settings.kafka.timeout_s) == (30, 3.0)
    assert settings.report.fail_on is Severity.WARNING
    assert settings.file == "diag.toml"


@pytest.mark.parametrize("written", ['"media, ai"', '["media", "ai"]', '"media,ai,projects/media"'])
def test_a_file_may_name_several_projects(workdir: Path, written: str) -> None:
    """As a text with commas or as a list, each once; one alone is as it always was."""
    (workdir / "diag.toml").write_text(f"[logging]\nproject = {written}\n")
    logging = load_settings({}, {}).logging

    assert [one.name for one in logging.resources] == ["projects/media", "projects/ai"]
    assert logging.projects == ("media", "ai")
    assert load_settings({"logging.project": "p"}, {}).logging.project == "p"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[kafka]\nbootstrp = "x"', "did you mean kafka.bootstrap"),
        ('[kafak]\nbootstrap = "x"', "did you mean kafka.bootstrap"),
        ('kafka = "x"', "did you mean"),
        ("[kafka", "must be TOML"),
        ("[logging]\nquota = 'many'", "logging.quota must be a whole number from 1 to 6,000, not 'many'"),
        ("[logging]\nquota = 0", "must be a whole number"),
        ("[logging]\nquota = true", "must be a whole number"),
        ("[logging]\nquota = [1]", "must be a whole number"),
        ("[logging]\nquota = 2025-07-27", "must be a whole number"),
        ("[kafka]\ntimeout_s = inf", "kafka.timeout_s must be a number from 0.1 to 600.0, not inf"),
        ("[logging]\nproject = 7", "logging.project must be a text"),
        ("[logging]\nproject = ['a', 7]", "logging.project must be a list of texts"),
        ("[logging]\nproject = 'my project'", "neither a project nor a log view"),
        ("[logging]\nproject = 'folders/1;id'", "neither a project nor a log view"),
        ("[logging]\nproject = 'projects/p/locations/eu/buckets/b/views/$(id)'", "neither a project nor"),
        ("[logging]\nproject = ' , '", "logging.project: ' , ' names none"),
        ("[logging]\nproject = 'projects/p/locations/eu/buckets/b'", "buckets/B/views/V"),
        ("[report]\nfail_on = 'bad'", "must be one of info, warning, error, critical"),
    ],
)
def test_a_wrong_file_says_what_and_where(workdir: Path, text: str, words: str) -> None:
    """Unknown keys are errors that name the nearest one."""
    (workdir / "my.toml").write_text(text)

    with pytest.raises(SettingsError) as caught:
        load_settings({}, {}, Path("my.toml"))

    assert "my.toml" in str(caught.value)
    assert words in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[logging]\n\nprojct = 'p'", "my.toml:3: no setting logging.projct"),
        ("[logging]\nproject = 'p'\nquota = 'many'", "my.toml:3: logging.quota must be"),
        ("[kafka]\n\n\npassword = 'x'", "my.toml:4: kafka.password does not belong in this file"),
        ("[cache]\n[kafka\n", "my.toml:2: no TOML: "),
        ("[cache]\nmax_mb = '\udcff'", "my.toml:2: no text in UTF-8"),
        ("\ncache = 5", "my.toml:2: no setting cache"),
    ],
)
def test_a_fault_of_the_file_is_told_with_its_line(workdir: Path, text: str, said: str) -> None:
    """In every command, not by the validation alone."""
    (workdir / "my.toml").write_text(text, errors="surrogateescape")

    with pytest.raises(SettingsError) as caught:
        load_settings({}, {}, Path("my.toml"))

    assert str(caught.value).startswith(said)


def test_a_file_that_an_editor_marked_as_utf_8_is_read(workdir: Path) -> None:
    """Windows' own does: the validation calls such a file right."""
    (workdir / "diag.toml").write_text("[logging]\nquota = 7\n", "utf-8-sig")

    assert load_settings({}, {}).logging.quota == 7


@pytest.mark.parametrize(("text", "environment"), [("[nope]\nx = 1", {}), ("", {"DIAG_ZZZ": "1"})])
def test_what_is_like_no_setting_leads_to_none(workdir: Path, text: str, environment: dict) -> None:
    """A suggestion is followed: one that cannot be meant is worse than none."""
    (workdir / "diag.toml").write_text(text)

    with pytest.raises(SettingsError) as caught:
        load_settings({}, environment)

    assert caught.value.hint == "diag config show lists them all"


@pytest.mark.parametrize(
    "value", ["inf", "-inf", "nan", "-5", "0", "1e9", "1e400", "3.5", "", "many", "0x10", "9" * 400]
)
def test_a_number_has_bounds_wherever_it_comes_from(workdir: Path, value: str) -> None:
    """The setting, where it came from, what is allowed, and no more than a piece of what was given."""
    for origin, layers in (
        ("the environment", ({}, {"DIAG_LOGGING_QUOTA": value})),
        ("the command line", ({"logging.quota": value}, {})),
    ):
        with pytest.raises(SettingsError) as caught:
            load_settings(*layers)

        assert f"{origin}: logging.quota must be a whole number from 1 to 6,000, not '" in str(caught.value)
        assert len(str(caught.value)) < 150


def test_every_number_has_bounds() -> None:
    """And its default lies within them."""
    for variable, name in name_variables().items():
        group, _, field = name.partition(".")
        default = getattr(getattr(Settings(), group), field)
        if isinstance(default, int | float) and not isinstance(default, Severity):
            settings = load_settings({}, {variable: str(default)})
            assert getattr(getattr(settings, group), field) == default


def test_a_named_file_must_exist_and_the_default_one_need_not(workdir: Path) -> None:
    """What the user typed is meant."""
    assert load_settings({}, {}).file == ""
    with pytest.raises(SettingsError, match=r"nope\.toml"):
        load_settings({}, {}, Path("nope.toml"))


def test_an_unknown_variable_names_the_nearest(workdir: Path) -> None:
    """A typo in the environment must not pass for a default."""
    with pytest.raises(SettingsError) as caught:
        load_settings({}, {"DIAG_KAFKA_BOTSTRAP": "x"})

    assert "DIAG_KAFKA_BOOTSTRAP" in caught.value.hint


def test_wanted_topics_may_come_from_a_file(workdir: Path) -> None:
    """In the form of the bundled list."""
    Path("topics.toml").write_text(
        '[[topic]]\nname = "a"\npath = "logging"\npartitions = 6\nreplication = 3\n'
    )

    (topic,) = load_wanted_topics("topics.toml")

    assert (topic.name, topic.path, topic.partitions, topic.replication) == ("a", "logging", 6, 3)


@pytest.mark.parametrize(
    "text",
    ["", "topic = 1", '[[topic]]\nname = ""', '[[topic]]\nname = "a"\npartitions = 0', '[[topic]]\nname = "a"\nx = 1',
     '[[topic]]\nname = "a"\nreaders = [1]'],
)  # fmt: skip
def test_a_wrong_topic_list_is_refused_with_its_place(workdir: Path, text: str) -> None:
    """The file, and which topic."""
    Path("topics.toml").write_text(text)

    with pytest.raises(SettingsError, match=r"topics\.toml"):
        load_wanted_topics("topics.toml")


def test_a_list_comes_from_a_file_with_brackets_and_from_the_environment_with_commas(workdir: Path) -> None:
    """Files that the settings file names are looked for beside it; what was typed, where it was typed."""
    Path("conf").mkdir()
    Path("conf/my.toml").write_text('[catalogue]\nfiles = ["a.toml", "/b.toml"]\n[topics]\nfile = "t.toml"\n')
    by_file = load_settings({}, {}, Path("conf/my.toml"))
    by_variable = load_settings({}, {"DIAG_CATALOGUE_FILES": "a.toml, b.toml"})

    assert by_file.catalogue.files == ("conf/a.toml", "/b.toml")
    assert by_file.topics.file == "conf/t.toml"
    assert by_variable.catalogue.files == ("a.toml", "b.toml")
    assert load_settings({"catalogue.files": ["c.toml"]}, {}, Path("conf/my.toml")).catalogue.files == (
        "c.toml",
    )
    assert load_settings({}, {}).catalogue.files == ()


@pytest.mark.parametrize("value", ["7", "[7]", '""', '["a", ""]'])
def test_a_list_holds_texts(workdir: Path, value: str) -> None:
    """Each of them."""
    Path("my.toml").write_text(f"[catalogue]\nfiles = {value}\n")

    with pytest.raises(SettingsError, match=r"catalogue\.files must be a list of texts"):
        load_settings({}, {}, Path("my.toml"))


@pytest.mark.parametrize("name", ["kafka.bootstrap", "logging.endpoint", "kafka.oauth_endpoint"])
@pytest.mark.parametrize("login", ["me:hunter2", "me:hun/hunter2", "me:hunter2 hunter2"])
def test_an_address_holds_no_login(workdir: Path, name: str, login: str) -> None:
    """Errors, plans and coverage name addresses, so a password in one is refused, and not repeated."""
    address = f"https://{login}@host:1"
    group, field = name.split(".")
    Path("diag.toml").write_text(f'[{group}]\n{field} = "{address}"\n')
    variable = {f"DIAG_{group}_{field}".upper(): address}

    for given in (({name: address}, {}), ({}, variable), ({}, {})):
        with pytest.raises(SettingsError) as raised:
            load_settings(*given)
        assert name in str(raised.value)
        assert "hunter2" not in f"{raised.value} {raised.value.hint}"


def test_the_way_to_a_broker_is_no_part_of_its_connection(workdir: Path) -> None:
    """A client's file names the broker and not how one gets there: that stays from below."""
    Path("client.properties").write_text("bootstrap.servers=broker:9092\n")
    Path("diag.toml").write_text('[kafka]\nvia = "port-forward"\n')

    loaded = load_settings({"kafka.config": "client.properties"}, {}).kafka

    assert (loaded.bootstrap, loaded.via) == ("broker:9092", "port-forward")
    with pytest.raises(SettingsError, match=r"kafka\.via must be port-forward, or empty, not 'proxy'"):
        load_settings({"kafka.via": "proxy"}, {})
