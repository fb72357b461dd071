"""Settings: read once, on loopback only, and wrong ones end the process in one line."""

from __future__ import annotations

import pytest

from pipeline.wire.environment import (
    Environment,
    Kafka,
    Listen,
    SettingsError,
    check_loopback_url,
    is_loopback,
    load_or_exit,
)


def test_listen_has_a_default_host_and_no_default_port() -> None:
    """HOST may be left out, PORT may not."""
    assert Environment({"PORT": "8001"}).read_listen() == Listen("127.0.0.1", 8001)
    with pytest.raises(SettingsError, match="PORT is not set"):
        Environment({}).read_listen()


@pytest.mark.parametrize("host", ["0.0.0.0", "::1", "localhost", "10.0.0.1", "127.0.0.1.example"])  # noqa: S104 - refused
def test_no_other_interface_is_listened_on(host: str) -> None:
    """Whatever is not an address of 127.0.0.0/8 is refused, names included."""
    with pytest.raises(SettingsError, match="HOST"):
        Environment({"PORT": "1", "HOST": host}).read_listen()


@pytest.mark.parametrize("port", ["x", "-1", "65536", "8001.0", "tcp://10.0.0.1:8001", "\u0661"])
def test_a_port_is_a_port_number(port: str) -> None:
    """Also the value that Kubernetes puts into the variable for a service of that name."""
    with pytest.raises(SettingsError, match="PORT"):
        Environment({"PORT": port}).read_listen()


def test_the_pod_names_the_kafka_client() -> None:
    """A broker's list of members shows pods, where there are any."""
    told = {"KAFKA_BOOTSTRAP": "127.0.0.1:9092", "POD_NAME": "orchestrator-abc"}
    untold = {"KAFKA_BOOTSTRAP": "127.0.0.1:9092,127.0.0.2:9093"}

    assert Environment(told).read_kafka("orchestrator") == Kafka("127.0.0.1:9092", "orchestrator-abc")
    assert Environment(untold).read_kafka("orchestrator").client_id == "orchestrator"


@pytest.mark.parametrize(
    "bootstrap", ["", "127.0.0.1", "broker:9092", "127.0.0.1:9092,10.0.0.1:9092", "127.0.0.1:x"]
)
def test_kafka_is_on_this_machine(bootstrap: str) -> None:
    """One foreign or malformed server is enough to refuse the list."""
    with pytest.raises(SettingsError, match="KAFKA_BOOTSTRAP"):
        Environment({"KAFKA_BOOTSTRAP": bootstrap}).read_kafka("orchestrator")


@pytest.mark.parametrize(
    "url",
    ["ftp://127.0.0.1:1", "http://127.0.0.1", "http://example.com:80", "http://[::1", "http://127.0.0.1:x"],
)
def test_a_url_names_a_port_on_this_machine(url: str) -> None:
    """Scheme, host and port are judged."""
    with pytest.raises(SettingsError, match="STT_URL"):
        Environment({"STT_URL": url}).read_url("STT_URL")


def test_a_url_is_taken_without_its_last_slash() -> None:
    """So that paths can be put behind it."""
    assert Environment({"STT_URL": "http://127.0.0.1:8000/"}).read_url("STT_URL") == "http://127.0.0.1:8000"


def test_a_choice_is_one_of_the_allowed() -> None:
    """The error names them."""
    with pytest.raises(SettingsError, match="none of rms, slt"):
        Environment({"TTS_VOICE": "kal"}).read_choice("TTS_VOICE", "rms", ("rms", "slt"))


def test_in_a_cluster_a_service_listens_on_its_pods_address_and_asks_others_by_name() -> None:
    """One variable lifts the bounds of one machine, for addresses, URLs and brokers alike."""
    environment = Environment(
        {
            "LISTEN_BEYOND_LOOPBACK": "yes",
            "HOST": "10.244.0.7",
            "PORT": "8080",
            "STT_URL": "http://stt-service:8080",
            "KAFKA_BOOTSTRAP": "kafka:9092",
        }
    )

    assert environment.read_listen() == Listen("10.244.0.7", 8080, beyond_loopback=True)
    assert environment.read_url("STT_URL") == "http://stt-service:8080"
    assert environment.read_kafka("orchestrator").bootstrap == "kafka:9092"


@pytest.mark.parametrize("host", ["localhost", "stt-service", "10.0.0", "10.0.0.1.example"])
def test_also_in_a_cluster_a_service_listens_on_an_address(host: str) -> None:
    """A name would be whatever it resolves to."""
    with pytest.raises(SettingsError, match="HOST"):
        Environment({"LISTEN_BEYOND_LOOPBACK": "yes", "PORT": "1", "HOST": host}).read_listen()


@pytest.mark.parametrize("url", ["http://:80", "http://stt-service", "ftp://stt-service:1"])
def test_also_in_a_cluster_a_url_is_whole(url: str) -> None:
    """Scheme, host and port."""
    with pytest.raises(SettingsError, match="STT_URL"):
        Environment({"LISTEN_BEYOND_LOOPBACK": "yes", "STT_URL": url}).read_url("STT_URL")


@pytest.mark.parametrize("value", ["true", "1", "YES"])
def test_only_a_plain_yes_lets_other_machines_in(value: str) -> None:
    """What looks like it is an error, not a guess."""
    with pytest.raises(SettingsError, match="LISTEN_BEYOND_LOOPBACK"):
        Environment({"LISTEN_BEYOND_LOOPBACK": value, "PORT": "1"}).read_listen()


def test_wrong_settings_end_the_process_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Status 2, one line on stderr, nothing on stdout."""
    monkeypatch.setenv("PORT", "none")
    with pytest.raises(SystemExit) as ended:
        load_or_exit(Environment.read_listen)
    output = capsys.readouterr()

    assert ended.value.code == 2
    assert output.err == "PORT='none' is not a port number\n"
    assert output.out == ""


def test_all_of_the_loopback_network_is_loopback() -> None:
    """127.0.0.0/8, and nothing that merely looks like it."""
    assert is_loopback("127.1.2.3")
    assert not is_loopback("127.1")
    assert check_loopback_url("ws://127.0.0.2:1/ws", ("ws",)) == "ws://127.0.0.2:1/ws"


def test_the_pages_origin_is_an_origin() -> None:
    """Without one the pages of this machine remain; more than an origin is refused."""
    assert Environment({}).read_page_origin() is None
    assert Environment({"PAGE_ORIGIN": "none"}).read_page_origin() is None
    assert Environment({"PAGE_ORIGIN": "https://a.example"}).read_page_origin() == "https://a.example"
    for wrong in ("a.example", "https://a.example/", "https://a.example/page", "*", "ftp://a.example"):
        with pytest.raises(SettingsError, match="PAGE_ORIGIN"):
            Environment({"PAGE_ORIGIN": wrong}).read_page_origin()
