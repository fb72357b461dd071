"""``client.properties``: what the Java client's and librdkafka's properties are in our settings.

Properties that only tune a client are not ours and are passed over. One that would change how the connection
is secured is never passed over: it is used, or refused with the way to say it, or named in a note.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from diag.config.kafka.found import Found, refuse
from diag.config.kafka.properties import LoginModule, parse_login_module, parse_properties
from diag.config.kafka.stores import check_pem
from diag.model.secret import Secret

_NAMES = {
    "bootstrap.servers": "bootstrap",
    "metadata.broker.list": "bootstrap",
    "security.protocol": "security_protocol",
    "sasl.mechanism": "mechanism",
    "sasl.mechanisms": "mechanism",
    "sasl.username": "username",
    "sasl.password": "password",
    "sasl.oauthbearer.token.endpoint.url": "oauth_endpoint",
    "sasl.oauthbearer.scope": "oauth_scope",
    "sasl.oauthbearer.client.id": "username",
    "sasl.oauthbearer.client.secret": "password",
    "sasl.oauthbearer.client.credentials.client.id": "username",
    "sasl.oauthbearer.client.credentials.client.secret": "password",
    "ssl.ca.location": "ca_file",
    "ssl.truststore.location": "ca_file",
    "ssl.certificate.location": "cert_file",
    "ssl.keystore.location": "cert_file",
    "ssl.key.location": "key_file",
    "ssl.key.password": "key_password",
}
_STORES = {"ssl.truststore.location", "ssl.keystore.location"}
_SECRETS = ("password", "key_password")
_USED_HERE = {
    "sasl.jaas.config",
    "sasl.login.callback.handler.class",
    "sasl.oauthbearer.method",
    "ssl.endpoint.identification.algorithm",
    "enable.ssl.certificate.verification",
    # They say nothing that the PEM file does not say itself.
    "ssl.truststore.type",
    "ssl.truststore.password",
    "ssl.keystore.type",
    "ssl.keystore.password",
}
_TUNING = ("sasl.login.refresh.", "sasl.login.connect.", "sasl.login.read.", "sasl.login.retry.")
_INLINE = ("ssl.truststore.certificates", "ssl.keystore.certificate.chain", "ssl.keystore.key")
_LIBRDKAFKA_INLINE = ("ssl.ca.pem", "ssl.certificate.pem", "ssl.key.pem")
_PROTOCOL = re.compile(r"(?<![^,\s])[0-9A-Za-z._-]*://")
"""What Java lets stand before a server: ``SASL_SSL://host:port``."""
_GOOGLE_HANDLER = "com.google.cloud.hosted.kafka.auth.GcpLoginCallbackHandler"
_STANDARD_HANDLER = "OAuthBearerLoginCallbackHandler"
_MODULES = {
    "PlainLoginModule": ("username", "password"),
    "ScramLoginModule": ("username", "password"),
    "OAuthBearerLoginModule": ("clientId", "clientSecret"),
}


def read_java(text: str, place: str) -> Found:
    """The connection that a ``client.properties`` describes; raises `SettingsError`.

    Args:
        text: of the file.
        place: the file's name, for what is said of it.
    """
    properties = {key: value for key, value in parse_properties(text).items() if value or key in _USED_HERE}
    _refuse_unsupported(properties, place)
    named = {_NAMES[key]: value for key, value in properties.items() if key in _NAMES}
    values = {**_read_login(properties, place), **named}
    if "bootstrap" in values:
        values["bootstrap"] = _PROTOCOL.sub("", values["bootstrap"])
    for key in sorted(_STORES & properties.keys()):
        check_pem(properties[key], f"{place}: {key}", is_keystore=key == "ssl.keystore.location")
    return Found(
        {
            f"kafka.{name}": Secret(value) if name in _SECRETS else value.strip()
            for name, value in values.items()
        },
        tuple(_find_notes(properties, place)),
    )


def _refuse_unsupported(properties: Mapping[str, str], place: str) -> None:
    if "config.providers" in properties:
        raise refuse(
            place,
            "config.providers is not supported",
            "write the values themselves, or DIAG_KAFKA_* variables",
        )
    for key in (*_INLINE, *_LIBRDKAFKA_INLINE):
        if key in properties:
            raise refuse(
                place,
                f"{key} holds a certificate or key inside the file, which is not supported",
                "write the PEM text to a file, and name that in kafka.ca_file or kafka.cert_file",
            )
    if properties.get("sasl.mechanism") == "GSSAPI" or "sasl.kerberos.service.name" in properties:
        raise refuse(
            place,
            "Kerberos (GSSAPI) is not supported",
            "ask for a SCRAM user or a client certificate that may read: kafka.mechanism, kafka.cert_file",
        )


def _read_login(properties: Mapping[str, str], place: str) -> dict[str, str]:
    """Who logs in, from the login module and the class that fetches its tokens."""
    handler = properties.get("sasl.login.callback.handler.class", "")
    found = {"oauth_endpoint": "google"} if handler == _GOOGLE_HANDLER else {}
    if handler and not found and handler.rpartition(".")[2] != _STANDARD_HANDLER:
        raise refuse(
            place,
            "sasl.login.callback.handler.class is a class that diag does not have",
            "PLAIN, SCRAM, a certificate, Google's handler or a token endpoint can be used",
        )
    text = properties.get("sasl.jaas.config")
    if not text:
        return found
    module = parse_login_module(text)
    if module is None:
        raise refuse(
            place,
            "sasl.jaas.config is not of its form",
            'it is: CLASS required username="..." password="...";',
        )
    return found | _read_module(module, place)


def _read_module(module: LoginModule, place: str) -> dict[str, str]:
    if module.name not in _MODULES:
        kerberos = "Kerberos is" if module.name.startswith("Krb5") else "its login module is"
        raise refuse(
            place,
            f"sasl.jaas.config: {kerberos} not supported",
            f"{', '.join(_MODULES)} are; ask for a user of one of them",
        )
    if any(name.startswith("unsecuredLogin") for name in module.options):
        raise refuse(
            place,
            "sasl.jaas.config: unsecured tokens are not supported",
            "name a token endpoint that makes them",
        )
    extensions = sorted(name for name in module.options if name.startswith("extension_"))
    if extensions:
        raise refuse(
            place, "sasl.jaas.config: SASL extensions are not supported", "ask for an API key and use PLAIN"
        )
    user, password = _MODULES[module.name]
    found = {"username": module.options.get(user), "password": module.options.get(password)}
    if module.name == "PlainLoginModule":
        found["mechanism"] = "PLAIN"
    elif module.name == "OAuthBearerLoginModule":
        found |= {"mechanism": "OAUTHBEARER", "oauth_scope": module.options.get("scope")}
    return {name: value for name, value in found.items() if value}


def _find_notes(properties: Mapping[str, str], place: str) -> Iterator[str]:
    for key, off in (
        ("ssl.endpoint.identification.algorithm", ("", "none")),
        ("enable.ssl.certificate.verification", ("false",)),
    ):
        if properties.get(key, "-").lower() in off:
            yield f"{place}: {key} is not followed: diag always checks the broker's certificate and its name"
    known = _NAMES.keys() | _USED_HERE
    unused = sorted(
        key
        for key in properties
        if key.startswith(("ssl.", "sasl.", "security.")) and key not in known and not key.startswith(_TUNING)
    )
    if unused:
        yield f"{place}: not used by diag: {', '.join(unused)}"
