"""Other Kafka clients' files as settings: what is taken, what is refused, and that no secret is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diag.config import load_settings
from diag.config.kafka.properties import parse_login_module, parse_properties
from diag.errors import SettingsError
from diag.model.secret import Secret
from diag.model.settings import KafkaSettings

HIDDEN = "hunter2-hidden"
PEM = "-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"


def load(path: Path, text: str, **environment: str) -> KafkaSettings:
    path.write_text(text)
    path.chmod(0o600)
    return load_settings({"kafka.config": str(path)}, environment).kafka


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=b", {"a": "b"}),
        ("  a : b  ", {"a": "b  "}),
        ("a b=c", {"a": "b=c"}),
        ("a", {"a": ""}),
        ("# a=b\n!c=d\n\n e=f", {"e": "f"}),
        ("a=b\\\n   c\\\n  # d\ne=f", {"a": "bc# d", "e": "f"}),
        ("a=b\\\\\nc=d", {"a": "b\\", "c": "d"}),
        ("a\\=\\:\\ b = \\u00e4\\t\\q\\\\", {"a=: b": "ä\tq\\"}),
        ("a=1\r\na=2\r\n", {"a": "2"}),
        ("a=b\\", {"a": "b"}),
    ],
)
def test_properties_are_read_as_java_reads_them(text: str, expected: dict[str, str]) -> None:
    """Comments, separators, joined lines, escapes; the last of two wins."""
    assert parse_properties(text) == expected


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r")))
def test_what_java_writes_comes_back(value: str) -> None:
    """Whatever a password is made of, through the escapes of the file and of the login module in it."""
    quoted = value.replace("\\", "\\\\").replace('"', '\\"')
    module = f'a.b.PlainLoginModule required username="u" password="{quoted}";'
    line = module.replace("\\", "\\\\").replace("\f", "\\f").replace("\t", "\\t")
    (read,) = parse_properties(f"sasl.jaas.config={line}\n").values()

    parsed = parse_login_module(read)

    assert parsed is not None
    assert parsed.options.get("password", "") == value


def test_a_java_clients_connection_is_taken_and_its_tuning_is_not(tmp_path: Path) -> None:
    """Store types and passwords of PEM files say nothing; a comment in the wrong tone costs nothing."""
    ca = tmp_path / "ca.pem"
    ca.write_text(PEM)

    kafka = load(
        tmp_path / "client.properties",
        f"# prod\nbootstrap.servers=a:9093,b:9093\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-256\n"
        f"sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n"
        f'   username="reader" \\\n   password="{HIDDEN}";\nssl.truststore.location={ca}\n'
        "acks=all\ngroup.id=voice\nkey.deserializer=x\n",
    )

    assert (kafka.bootstrap, kafka.security_protocol, kafka.mechanism) == (
        "a:9093,b:9093",
        "SASL_SSL",
        "SCRAM-SHA-256",
    )
    assert (kafka.username, kafka.password.reveal(), kafka.ca_file) == ("reader", HIDDEN, str(ca))


def test_librdkafkas_names_mean_the_same(tmp_path: Path) -> None:
    """As kcat and the Python and Go clients have them."""
    kafka = load(
        tmp_path / "client.properties",
        f"bootstrap.servers=SASL_SSL://a:1, b:2\nsecurity.protocol=sasl_ssl\nsasl.mechanisms=PLAIN\nsasl.username=key\nsasl.password={HIDDEN}\n"
        "ssl.certificate.location=c.pem\nssl.key.location=k.pem\nssl.ca.location=ca.pem\n",
    )

    assert (kafka.bootstrap, kafka.security_protocol) == ("a:1, b:2", "sasl_ssl")
    assert (kafka.mechanism, kafka.username, kafka.password.reveal()) == ("PLAIN", "key", HIDDEN)
    assert (kafka.cert_file, kafka.key_file, kafka.ca_file) == ("c.pem", "k.pem", "ca.pem")


def test_googles_own_handler_and_token_endpoints_are_known(tmp_path: Path) -> None:
    """By the handler's class, in Java's properties of any age."""
    module = "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
    google = load(
        tmp_path / "google.properties",
        "security.protocol=SASL_SSL\nsasl.mechanism=OAUTHBEARER\nsasl.login.callback.handler.class="
        f"com.google.cloud.hosted.kafka.auth.GcpLoginCallbackHandler\n{module};\n",
    )
    endpoint = load(
        tmp_path / "endpoint.properties",
        "sasl.mechanism=OAUTHBEARER\nsasl.oauthbearer.token.endpoint.url=https://x/token\nsasl.oauthbearer.scope=k\n"
        "sasl.oauthbearer.client.credentials.client.id=c\n"
        f"sasl.oauthbearer.client.credentials.client.secret={HIDDEN}\n",
    )

    assert (google.mechanism, google.oauth_endpoint) == ("OAUTHBEARER", "google")
    assert (endpoint.oauth_endpoint, endpoint.oauth_scope) == ("https://x/token", "k")
    assert (endpoint.username, endpoint.password.reveal()) == ("c", HIDDEN)


RPK = f"""\
version: 6
current_profile: dev
profiles:
  - name: dev
    kafka_api: {{brokers: ["dev:9092"]}}
  - name: prod
    kafka_api:
      brokers: ["p1", "p2:9092"]
      tls: {{}}
      sasl: {{user: reader, password: {HIDDEN}, mechanism: scram-sha-256}}
  - name: mutual
    kafka_api:
      brokers: ["m:9092"]
      tls: {{ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, insecure_skip_verify: true}}
"""


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (None, ("dev:9092", "PLAINTEXT", "", "", "")),
        ("prod", ("p1:9092,p2:9092", "SASL_SSL", "SCRAM-SHA-256", "reader", HIDDEN)),
        ("mutual", ("m:9092", "SSL", "", "", "")),
    ],
)
def test_a_profile_of_rpk_is_taken(tmp_path: Path, profile: str | None, expected: tuple[str, ...]) -> None:
    """The current one, or the one that is named; from rpk's own place where no file is."""
    place = tmp_path / "rpk/rpk.yaml"
    place.parent.mkdir()
    place.write_text(RPK)
    flags = {"kafka.profile": profile} if profile else {"kafka.config": str(place)}

    settings = load_settings(flags, {"XDG_CONFIG_HOME": str(tmp_path), "HOME": str(tmp_path)})

    kafka = settings.kafka
    assert (
        kafka.bootstrap,
        kafka.security_protocol,
        kafka.mechanism,
        kafka.username,
        kafka.password.reveal(),
    ) == expected
    assert any("insecure_skip_verify is not followed" in one for one in settings.notes) is (
        profile == "mutual"
    )


@pytest.mark.parametrize(
    "text",
    [
        "rpk:\n  kafka_api:\n    brokers: ['a:1']\n    tls: {truststore_file: ca.pem}\n    sasl: {user: u, password: p, type: PLAIN}\n",
        "name: x\nkafka_api:\n  brokers: ['a:1']\n  tls: {ca_file: ca.pem}\n  sasl: {user: u, password: p, mechanism: PLAIN}\n",
    ],
)
def test_older_files_and_single_profiles_of_rpk_are_known_by_their_content(tmp_path: Path, text: str) -> None:
    """Whatever the file is called."""
    kafka = load(tmp_path / "any.properties", text)

    assert (kafka.bootstrap, kafka.security_protocol, kafka.mechanism, kafka.ca_file) == (
        "a:1",
        "SASL_SSL",
        "PLAIN",
        "ca.pem",
    )


JKS, PKCS12 = b"\xfe\xed\xfe\xed" + bytes(40), b"\x30\x82" + bytes(40)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ssl.truststore.location=trust.jks", "keytool -list -rfc -keystore trust.jks > ca.pem"),
        ("ssl.truststore.location=trust.p12", "is a PKCS#12 key store"),
        ("ssl.keystore.location=trust.jks", "openssl pkcs12 -in client.p12 -nodes -out client.pem"),
        ("ssl.keystore.location=gone.jks", "No such file"),
        ("ssl.truststore.location=empty", "neither PEM nor a key store"),
        (f"ssl.keystore.key={HIDDEN}", "write the PEM text to a file"),
        ("sasl.mechanism=GSSAPI", "Kerberos (GSSAPI) is not supported"),
        ("sasl.kerberos.service.name=kafka", "Kerberos"),
        ("sasl.jaas.config=com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true;", "Kerberos is not supported"),
        (f"sasl.jaas.config={HIDDEN}", "is not of its form"),
        (f'sasl.jaas.config=software.amazon.msk.auth.iam.IAMLoginModule required password="{HIDDEN}";', "login module is not supported"),
        ("sasl.login.callback.handler.class=com.example.Handler", "is a class that diag does not have"),
        ("config.providers=env", "config.providers is not supported"),
        ('sasl.jaas.config=a.OAuthBearerLoginModule required extension_x="1";', "SASL extensions are not supported"),
        (f"profiles:\n- name: a\n  kafka_api: {{sasl: {{password: '{HIDDEN}\n", "line"),
        ("profiles: []", "no profile is the current one"),
        (f"current_profile: b\nprofiles:\n- name: a\n  kafka_api: {{sasl: {{password: {HIDDEN}}}}}", "--kafka-profile: a"),
        ("profiles:\n- name: a\ncurrent_profile: a", "the profile has no kafka_api"),
        ("profiles:\n- {name: a, kafka_api: {sasl: {mechanism: CLOUD-OIDC}}}\ncurrent_profile: a", "cloud token"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_refused_with_the_way_out(workdir: Path, text: str, words: str) -> None:
    """In one line that names the file and the property, and never a value that may be secret."""
    (workdir / "trust.jks").write_bytes(JKS)
    (workdir / "trust.p12").write_bytes(PKCS12)
    (workdir / "empty").write_bytes(b"")

    with pytest.raises(SettingsError) as caught:
        load(workdir / "c.properties", text)

    said = f"{caught.value} ({caught.value.hint})"
    assert words in said
    assert "c.properties" in said
    assert HIDDEN not in said
    assert "\n" not in said


def test_a_profile_of_a_file_that_has_none_is_an_error(tmp_path: Path) -> None:
    """And so is a file that is not there, or no file at all."""
    java = tmp_path / "client.properties"
    java.write_text("bootstrap.servers=a:1\n")
    for flags, words in (
        ({"kafka.config": str(java), "kafka.profile": "x"}, "so it has no profiles"),
        ({"kafka.config": str(tmp_path / "gone")}, "No such file"),
        ({"kafka.config": str(tmp_path)}, "directory"),
        ({"kafka.config": "a\0b"}, "no file name"),
        ({"kafka.profile": "x"}, "rpk.yaml: No such file"),
    ):
        with pytest.raises(SettingsError, match=words):
            load_settings(flags, {"HOME": str(tmp_path)})


def test_a_file_stands_just_below_the_layer_that_names_it(workdir: Path) -> None:
    """And describes the whole connection: another broker's user and certificate do not go to this one."""
    Path("staging.properties").write_text("bootstrap.servers=staging:9092\n")
    Path("prod.properties").write_text(
        "bootstrap.servers=prod:9092\nsecurity.protocol=SASL_SSL\nsasl.username=reader\n"
    )
    Path("diag.toml").write_text('[kafka]\nconfig = "prod.properties"\nca_file = "ca.pem"\ntimeout_s = 3\n')

    own = load_settings({}, {"DIAG_KAFKA_PASSWORD": HIDDEN}).kafka
    other = load_settings({"kafka.config": "staging.properties"}, {"DIAG_KAFKA_USERNAME": "x"}).kafka
    named = load_settings({"kafka.bootstrap": "b:1"}, {}).kafka

    assert (own.bootstrap, own.username, own.ca_file, own.password.reveal()) == (
        "prod:9092",
        "reader",
        "ca.pem",
        HIDDEN,
    )
    assert (other.bootstrap, other.security_protocol, other.username, other.ca_file) == (
        "staging:9092",
        "",
        "",
        "",
    )
    assert other.timeout_s == 3
    assert (named.bootstrap, named.username) == ("b:1", "reader")


def test_a_password_comes_from_the_environment_or_a_file_and_never_from_diag_toml(workdir: Path) -> None:
    """Of its layer; the end of the line is no part of it."""
    Path("secret").write_text(f"{HIDDEN}\n")
    Path("secret").chmod(0o600)
    Path("diag.toml").write_text('[kafka]\npassword_file = "secret"\n')

    assert load_settings({}, {}).kafka.password.reveal() == HIDDEN
    assert load_settings({}, {"DIAG_KAFKA_PASSWORD": "other"}).kafka.password.reveal() == "other"
    Path("diag.toml").write_text(f'[kafka]\npassword = "{HIDDEN}"\n')
    with pytest.raises(SettingsError, match=r"kafka\.password does not belong in this file") as caught:
        load_settings({}, {})
    assert "DIAG_KAFKA_PASSWORD" in caught.value.hint
    assert HIDDEN not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(("mode", "warned"), [(0o600, False), (0o640, False), (0o644, True)])
def test_a_secret_that_everybody_can_read_is_warned_of(workdir: Path, mode: int, *, warned: bool) -> None:
    """By the file's name, in both kinds of file."""
    Path("secret").write_text(HIDDEN)
    Path("c.properties").write_text(f"bootstrap.servers=a:1\nsasl.username=u\nsasl.password={HIDDEN}\n")
    for name, flag in (("secret", "kafka.password_file"), ("c.properties", "kafka.config")):
        Path(name).chmod(mode)
        notes = load_settings({flag: name}, {}).notes
        assert [one for one in notes if one.startswith(f"{name} holds a secret")] == (
            [notes[0]] if warned else []
        )


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("-----BEGIN PRIVATE KEY-----", True),
        ("-----BEGIN EC PRIVATE KEY-----", True),
        ("-----BEGIN ENCRYPTED PRIVATE KEY-----", False),
        (PEM, False),
    ],
)
@pytest.mark.parametrize("setting", ["key_file", "cert_file"])
def test_a_key_that_everybody_can_read_is_warned_of(
    workdir: Path, setting: str, text: str, *, warned: bool
) -> None:
    """A certificate is for everybody, and so is a key that has a password of its own."""
    Path("own.pem").write_text(text)
    Path("own.pem").chmod(0o644)

    assert bool(load_settings({f"kafka.{setting}": "own.pem"}, {}).notes) is warned


def test_a_password_on_a_readable_wire_is_warned_of() -> None:
    """SCRAM never sends it, and nobody listens on loopback."""
    login = {"kafka.security_protocol": "SASL_PLAINTEXT", "kafka.mechanism": "PLAIN"}

    assert "readable" in load_settings({**login, "kafka.bootstrap": "127.0.0.1:1,b:1"}, {}).notes[0]
    assert not load_settings({**login, "kafka.bootstrap": "127.0.0.1:1,[::1]:1,localhost:1"}, {}).notes
    assert not load_settings(
        {**login, "kafka.bootstrap": "b:1", "kafka.mechanism": "SCRAM-SHA-256"}, {}
    ).notes


def test_what_would_weaken_or_change_the_connection_is_named_if_it_is_not_followed(workdir: Path) -> None:
    """The rest of a client's settings is none of diag's business."""
    Path("c.properties").write_text(
        "bootstrap.servers=a:1\nssl.endpoint.identification.algorithm=\nssl.cipher.suites=x\nlinger.ms=5\n"
        "sasl.login.refresh.buffer.seconds=3\nenable.ssl.certificate.verification=false\n"
    )

    notes = load_settings({"kafka.config": "c.properties"}, {}).notes

    assert [one.split(": ", 1)[1] for one in notes] == [
        "ssl.endpoint.identification.algorithm is not followed: diag always checks the broker's certificate and its name",
        "enable.ssl.certificate.verification is not followed: diag always checks the broker's certificate and its name",
        "not used by diag: ssl.cipher.suites",
    ]


def test_a_secret_shows_itself_nowhere() -> None:
    """Not in `repr`, not in a text, not in the settings that hold it, not in what is refused of it."""
    settings = KafkaSettings(password=Secret(HIDDEN), key_password=Secret(HIDDEN))

    assert HIDDEN not in f"{settings!r} {settings.password}"
    assert "password=***" in repr(settings)
    assert (bool(Secret("")), str(Secret(""))) == (False, "")
