"""Why no connection comes about: asked once more, by hand, after the library has given up.

The library tries all servers and says of each only that it could not. Here one connection goes the same way,
and its own error is read; where that can be several things, the listener is asked what it speaks. None of
these questions carries a password.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import replace
from typing import Any

from aiokafka.conn import AIOKafkaConnection, get_ip_port_afi
from aiokafka.errors import KafkaError
from aiokafka.protocol.admin import SaslHandShakeRequest
from aiokafka.protocol.metadata import MetadataRequest

from diag.sources.kafka.login import OAUTHBEARER, PLAINTEXT, TLS, Login
from diag.sources.kafka.reasons import (
    NO_LOGIN,
    NO_TLS,
    ONLY_TLS,
    REFUSES_TOKEN,
    Reason,
    find_tls_reason,
    has_no_way,
    lacks_mechanism,
    to_reason,
    wants_login,
)
from diag.sources.kafka.route import NoWayError, create_conn, open_connection

CLIENT_ID = "diag"
_NO_MECHANISM = "NONE"
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,255}")
_NAME = re.compile(r"[A-Z0-9_-]{1,40}")
"""What a broker can name as a host or a mechanism and have repeated."""
# A name that no resolver takes, or an answer that is none of Kafka's, is a ValueError.
FAILURES = (KafkaError, OSError, TimeoutError, ValueError)
# An answer that is Kafka's and wrong trips the library's own assertions and look-ups.
MALFORMED = (AssertionError, LookupError, EOFError)
_Brokers = tuple[tuple[str, int], ...]


async def find_reason(servers: tuple[str, ...], login: Login, timeout_s: float) -> Reason | None:
    """Why none of `servers` lets us in, or why a broker that they name can not be reached; None if unknown.

    It takes at most `timeout_s` seconds, and gives one connection a third of them.
    """
    each_s = timeout_s / 3
    reasons = []
    try:
        async with asyncio.timeout(timeout_s):
            for server in servers:
                host, port, _ = get_ip_port_afi(server)
                found = await _try(host, port, login, each_s)
                if isinstance(found, tuple):
                    return await _find_unreached(found, login, each_s)
                reasons += [found] if found is not None else []
    except TimeoutError:
        pass
    # Of several, one that answered tells more than one that is down.
    return min(reasons, key=lambda reason: reason.is_silent, default=None)


async def _find_unreached(brokers: _Brokers, login: Login, timeout_s: float) -> Reason | None:
    """The first broker that others name and that does not let us in."""
    for host, port in brokers:
        found = await _try(host, port, login, timeout_s)
        if isinstance(found, Reason):
            return found.of_broker(host, port)
    return None


async def _try(host: str, port: int, login: Login, timeout_s: float) -> Reason | _Brokers | None:
    """The brokers that this listener names, or what keeps it from answering; None if that stays unknown."""
    connection = None
    try:
        connection = await _connect(host, port, login, timeout_s)
        # A login that is missing or refused late shows with the first request only. It names no topic.
        answer = await connection.send(MetadataRequest([]))
    except NoWayError as error:
        return has_no_way(error)
    except (*FAILURES, *MALFORMED) as error:
        return await _explain(error, host, port, login, timeout_s)
    finally:
        if connection is not None:
            connection.close()
    if not answer.brokers:
        # What the library (0.14, conn.py) takes for the end of a login with a token can be its refusal.
        return await _explain_login(host, port, login, timeout_s)
    return tuple((row[1], row[2]) for row in answer.brokers if _HOST.fullmatch(row[1]))


async def _connect(host: str, port: int, login: Login, timeout_s: float) -> AIOKafkaConnection:
    return await create_conn(
        host, port, client_id=CLIENT_ID, request_timeout_ms=int(timeout_s * 1000), **login.arguments()
    )


async def _explain(error: Exception, host: str, port: int, login: Login, timeout_s: float) -> Reason | None:
    reason = find_tls_reason(error, host, login) or to_reason(error, login)
    if reason is not None:
        return reason
    if login.tls is not None and not await _speaks_tls(host, port, timeout_s):
        plain = replace(login, protocol=PLAINTEXT, mechanism="", tls=None)
        return NO_TLS if await _speaks_kafka(host, port, plain, timeout_s) else None
    if login.tls is None and await _speaks_tls(host, port, timeout_s):
        return ONLY_TLS
    return await _explain_login(host, port, login, timeout_s)


async def _explain_login(host: str, port: int, login: Login, timeout_s: float) -> Reason | None:
    """The listener speaks as we do, or nothing of Kafka's: which logins does it take?"""
    mechanisms = await _list_mechanisms(host, port, login, timeout_s)
    if mechanisms is None:
        return None
    if not login.mechanism:
        return wants_login(mechanisms, tls=login.tls is not None) if mechanisms else None
    if not mechanisms:
        return NO_LOGIN
    if login.mechanism not in mechanisms:
        return lacks_mechanism(login.mechanism, mechanisms)
    return REFUSES_TOKEN if login.mechanism == OAUTHBEARER else None


async def _speaks_tls(host: str, port: int, timeout_s: float) -> bool:
    """Whether the port answers a TLS greeting as TLS does, if only to refuse. Nothing is sent through it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # to look, not to talk
    try:
        async with asyncio.timeout(timeout_s):
            _, writer = await open_connection(host, port, context)
        writer.transport.abort()
    except ssl.SSLError as error:
        return "ALERT" in (error.reason or "")
    except (*FAILURES, *MALFORMED):
        return False
    return True


async def _speaks_kafka(host: str, port: int, plain: Login, timeout_s: float) -> bool:
    try:
        connection = await _connect(host, port, plain, timeout_s)
    except (*FAILURES, *MALFORMED):
        return False
    connection.close()
    return True


async def _list_mechanisms(host: str, port: int, login: Login, timeout_s: float) -> tuple[str, ...] | None:
    """The logins that a listener takes, none where it takes none; None if it does not say."""
    silent = replace(login, protocol=TLS if login.tls is not None else PLAINTEXT, mechanism="")
    connection = None
    try:
        connection = await _connect(host, port, silent, timeout_s)
        answer: Any = await connection.send(SaslHandShakeRequest(_NO_MECHANISM))
    except (*FAILURES, *MALFORMED):
        return None
    finally:
        if connection is not None:
            connection.close()
    return tuple(sorted(name for name in map(str, answer.enabled_mechanisms) if _NAME.fullmatch(name)))
