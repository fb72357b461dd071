"""Connections that give a clear error in time and close in time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, NodeNotReadyError

from diag.errors import SourceError
from diag.model.settings import KafkaSettings
from diag.sources.kafka.bootstrap import parse_bootstrap
from diag.sources.kafka.login import Login, make_login
from diag.sources.kafka.probe import CLIENT_ID, FAILURES, MALFORMED, find_reason
from diag.sources.kafka.route import is_tunnelled

_T = TypeVar("_T")
_C = TypeVar("_C", AIOKafkaAdminClient, AIOKafkaConsumer)

_CLOSE_WITHIN_S = 5.0
_EXPLAIN_WITHIN_S = 3.0
_NO_CONNECTION = (TimeoutError, KafkaConnectionError, NodeNotReadyError, OSError)
FETCH_BYTES = 4 * 1024 * 1024
"""Of one partition, in one answer."""
_CHECK = "check --kafka (host:port), and that the broker's advertised names can be reached from here"
_CHECK_IN_CLUSTER = "check --kafka (name and port in the cluster), and that the pod listens on that port"

# The library reports what we report, in its own words and at its own pace.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)


def check_connection(settings: KafkaSettings) -> None:
    """Raise `UsageError` or `SettingsError` if no connection can be made of the settings; asks nobody."""
    parse_bootstrap(settings.bootstrap)
    make_login(settings)


@asynccontextmanager
async def open_admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """An admin client; raises `SourceError` if the broker can not be used, and says why."""
    login, servers = make_login(settings), parse_bootstrap(settings.bootstrap)
    async with _explaining(settings, login):
        make = partial(
            AIOKafkaAdminClient,
            bootstrap_servers=list(servers),
            client_id=CLIENT_ID,
            request_timeout_ms=int(settings.timeout_s * 1000),
            **login.arguments(),
        )
        client = await _start_one(make, AIOKafkaAdminClient.close, settings)
        try:
            yield client
        finally:
            await _close(client.close())


@asynccontextmanager
async def open_consumer(settings: KafkaSettings) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group; raises `SourceError` if the broker can not be used, and says why."""
    login, servers = make_login(settings), parse_bootstrap(settings.bootstrap)
    async with _explaining(settings, login):
        make = partial(
            _make_consumer,
            bootstrap_servers=list(servers),
            client_id=CLIENT_ID,
            group_id=None,
            enable_auto_commit=False,
            # Records that were deleted meanwhile are said to be missing, not stepped over.
            auto_offset_reset="none",
            request_timeout_ms=int(settings.timeout_s * 1000),
            max_partition_fetch_bytes=FETCH_BYTES,
            check_crcs=False,
            **login.arguments(),
        )
        consumer = await _start_one(make, AIOKafkaConsumer.stop, settings)
        try:
            # Until then it knows the brokers and no topic: the first request of the library asks for none.
            await within(consumer._client.force_metadata_update(), settings)  # noqa: SLF001  as above
            yield consumer
        finally:
            await _close(consumer.stop())


@asynccontextmanager
async def _explaining(settings: KafkaSettings, login: Login) -> AsyncIterator[None]:
    """A connection that failed is tried once more by hand, for what the library does not say of it."""
    if login.tokens is not None:
        await login.tokens.token()  # now, since the library says of a token that failed only that it did
    try:
        yield
    except _UnexplainedError as error:
        # A tunnel takes its time for each connection, and mostly has the reason itself.
        within_s = settings.timeout_s if is_tunnelled() else min(settings.timeout_s, _EXPLAIN_WITHIN_S)
        reason = await find_reason(parse_bootstrap(settings.bootstrap), login, within_s)
        if reason is None:
            raise SourceError(str(error), hint=error.hint) from error
        raise SourceError(f"Kafka at {settings.bootstrap} {reason.what}", hint=reason.remedy) from error


class _UnexplainedError(SourceError):
    """No answer came, and the library does not say why."""


def _make_consumer(**arguments: Any) -> AIOKafkaConsumer:
    consumer = AIOKafkaConsumer(**arguments)
    _never_name_topics(consumer)
    return consumer


def _never_name_topics(consumer: AIOKafkaConsumer) -> None:
    # The library adds assigned topics to its metadata requests, and each of those allows creation
    # (aiokafka 0.14, protocol/metadata.py). Asked for all topics instead, it names none.
    client = consumer._client  # noqa: SLF001  there is no public way
    client.set_topics = lambda _topics: client.force_metadata_update()
    client.add_topic = lambda _topic: client.force_metadata_update()


async def _start_one(
    make: Callable[[], _C], close: Callable[[_C], Awaitable[None]], settings: KafkaSettings
) -> _C:
    """A client that is there; a connection that breaks at once is tried again, as the library does later."""
    clock = asyncio.get_running_loop().time
    soon = clock() + settings.timeout_s / 2
    while True:
        client = make()
        try:
            await _start(client.start(), settings)
        except BaseException as error:
            await _close(close(client))
            if not isinstance(error.__cause__, KafkaConnectionError) or clock() > soon:
                raise
            soon = 0.0
        else:
            return client


async def _start(starting: Awaitable[None], settings: KafkaSettings) -> None:
    """Wait for a client to be there. Nothing of ours runs in it: what trips it was the broker's answer."""
    try:
        await within(starting, settings)
    except MALFORMED as error:
        raise to_source_error(error, settings) from error


async def within(work: Awaitable[_T], settings: KafkaSettings) -> _T:
    """The result of `work`, or a `SourceError` that says what the broker did not do."""
    try:
        return await asyncio.wait_for(work, settings.timeout_s)
    except FAILURES as error:
        raise to_source_error(error, settings) from error


def to_source_error(error: Exception, settings: KafkaSettings) -> SourceError:
    """The library's error in one line, with what to do."""
    kind = _UnexplainedError if isinstance(error, _NO_CONNECTION) else SourceError
    if isinstance(error, TimeoutError):
        what = f"did not answer within {settings.timeout_s:g} s"
    elif isinstance(error, KafkaConnectionError):
        what = "can not be reached"
    else:
        what = f"could not be read: {str(error) or type(error).__name__}"
    return kind(
        f"Kafka at {settings.bootstrap} {what}",
        hint=_CHECK_IN_CLUSTER if is_tunnelled() else _CHECK,
    )


async def _close(closing: Awaitable[None]) -> None:
    # A broker that has gone makes the library wait, or lets its own cancellation escape.
    try:
        await asyncio.wait_for(closing, _CLOSE_WITHIN_S)
    except (*FAILURES, asyncio.CancelledError):
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            raise
