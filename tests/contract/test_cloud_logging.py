"""The Cloud Logging source: Google's client, over gRPC, against the local server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, contextmanager

import grpc
import pytest
from google.api_core import exceptions
from google.cloud.logging_v2.services.logging_service_v2 import LoggingServiceV2Client

from diag.app.request import SessionsRequest
from diag.app.sessions import list_sessions
from diag.catalogue import load_catalogue
from diag.errors import SettingsError
from diag.model.coverage import State
from diag.model.instants import NS_PER_S
from diag.model.queries import LogQuery
from diag.model.settings import ClusterSettings, LoggingSettings
from diag.model.window import Window
from diag.normalise import to_frame
from diag.sources.cloud_logging import CloudLogging, patience, source
from pipeline.local.cloud_logging.errors import RequestError
from tests.cases import DEFAULTS, START_NS, to_entry
from tests.contract.logging_server import PROJECT, S, Server, lines

OTHER = DEFAULTS["B"]
WINDOW = Window(START_NS, START_NS + 3600 * NS_PER_S)


async def read(reader: CloudLogging, **query) -> list:
    return [record async for batch in reader.read(LogQuery(WINDOW, **query)) for record in batch]


async def test_an_entry_arrives_as_it_was_written(serve) -> None:
    """Through protobuf and back to the JSON form: the row is the same as from a file."""
    server, catalogue = serve(), load_catalogue()
    line = (
        f"00:01.123 orchestrator error Failed to consume audio :: sessionID={S} n=8.5 k=3 flag=true none=null"
    )
    entry = to_entry(f"{line} trace={DEFAULTS['T']}", 1)
    server.write([entry])

    (record,) = await read(server.source(), ids=(S,))

    live, file = to_frame([record], catalogue), to_frame([type(record)(entry, "a.json:1")], catalogue)
    ours = [name for name in file.columns if name not in ("received", "source")]
    assert live.select(ours).to_dicts() == file.select(ours).to_dicts()


async def test_every_page_is_read_and_counted(serve) -> None:
    """2,500 entries are three requests of at most 1,000, and one for each slice of what came after the first."""
    server = serve()
    server.write(lines(2500))
    reader = server.source()

    records = await read(reader, ids=(S,))

    assert len(records) == 2500
    assert [record.data["insertId"] for record in records] == [entry["insertId"] for entry in lines(2500)]
    assert reader.coverage().state is State.COMPLETE
    assert 3 <= reader.coverage().requests <= 3 + len(set(server.filters[1:]))


async def test_an_empty_page_with_a_token_is_not_the_end(serve) -> None:
    """The service ran out of time, not of entries."""
    server = serve(search_s=0.0)
    server.write(lines(3000, "another") + lines(3, first=3000))

    assert len(await read(server.source(), ids=(S,))) == 3


async def test_more_pages_than_allowed_are_a_partial_answer(serve) -> None:
    """What came is kept; that there is more is said."""
    server = serve()
    server.write(lines(2500))
    reader = server.source(max_pages=1)

    assert len(await read(reader, ids=(S,), what="the session")) == 1000
    assert reader.coverage().state is State.PARTIAL
    assert "the session: more than 1 pages; the rest was not read" in reader.coverage().notes[0]


async def test_a_spent_quota_is_waited_for_and_then_named(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Others read the same project; after some patience the answer is partial."""
    monkeypatch.setattr(patience, "QUOTA_WAIT_S", 0.01)
    server = serve(read_requests_per_minute=2)
    server.write(lines(2500))
    reader = server.source()

    assert 1000 < len(await read(reader, ids=(S,))) <= 2000
    assert reader.coverage().state is State.PARTIAL
    assert "quota" in reader.coverage().notes[0]


async def test_a_refused_filter_is_said_with_the_services_words(
    serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a fault, and must be seen."""
    monkeypatch.setattr(source, "build_filters", lambda *_: ("timestamp>=2026-01-01T00:00:00Z",))
    reader = serve().source()

    assert await read(reader, ids=(S,)) == []
    assert reader.coverage().state is State.FAILED
    assert "Unparseable filter" in reader.coverage().notes[0]


async def test_a_server_that_goes_away_leaves_what_came(serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partial, with the reason; and nothing more is asked in this run."""
    monkeypatch.setattr(patience, "WAITS_S", (0.01, 0.01))
    server = serve()
    server.write(lines(1500))
    reader, seen = server.source(), 0
    async for batch in reader.read(LogQuery(WINDOW, ids=(S,))):
        seen += len(batch)
        with away(server, monkeypatch):
            pass

    assert seen == 1000
    assert reader.coverage().state is State.PARTIAL
    assert await read(reader, ids=(S,)) == []


@contextmanager
def away(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """From now on the reader's client finds nobody."""

    def refuse(*_args, **_kwargs):
        raise exceptions.ServiceUnavailable("connection refused")

    monkeypatch.setattr(LoggingServiceV2Client, "list_log_entries", refuse)
    yield


UNAVAILABLE = RequestError(grpc.StatusCode.UNAVAILABLE, "The service is currently unavailable.")
LATE = RequestError(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline expired before operation could complete.")
EXPIRED = RequestError(grpc.StatusCode.UNAUTHENTICATED, "Request had invalid authentication credentials.")
NO_TOKEN = RequestError(
    grpc.StatusCode.UNAVAILABLE,
    "Getting metadata from plugin failed with error: Reauthentication is needed.",
)
NO_MESSAGE = RequestError(grpc.StatusCode.INTERNAL, "Exception deserializing response!")
NOT_ALLOWED = RequestError(grpc.StatusCode.PERMISSION_DENIED, "Permission 'logging.views.access' denied.")


@pytest.mark.parametrize(
    "refusals", [[UNAVAILABLE] * 5, [LATE], [EXPIRED], [NOT_ALLOWED], [UNAVAILABLE, LATE]]
)
async def test_what_passes_by_itself_is_asked_again(
    serve, monkeypatch: pytest.MonkeyPatch, refusals: list[RequestError]
) -> None:
    """The answer is complete, and every request counts against the budget, since it does against the quota."""
    monkeypatch.setattr(patience, "WAITS_S", (0.01,) * 5)
    monkeypatch.setattr(patience, "PERMISSION_WAIT_S", 0.01)
    server = serve()
    server.write(lines(1500))
    server.refusals += refusals
    reader = server.source()

    assert len(await read(reader, ids=(S,))) == 1500
    assert reader.coverage().state is State.COMPLETE
    slices = len(set(server.filters)) - 1
    assert reader.coverage().requests == len(server.filters) == 1 + slices + len(refusals)


@pytest.mark.parametrize(
    ("refusal", "most", "words"),
    [
        (UNAVAILABLE, 6, "check --logging-endpoint and the network"),
        (LATE, 2, "narrow the window"),
        (EXPIRED, 2, "gcloud auth application-default login"),
        (NO_MESSAGE, 6, "gives answers that can not be read"),
        (NO_TOKEN, 6, "gcloud auth application-default login"),
        (NOT_ALLOWED, 2, "roles/logging.viewer"),
    ],
)
async def test_what_does_not_pass_is_named_with_its_remedy(
    serve, monkeypatch: pytest.MonkeyPatch, refusal: RequestError, most: int, words: str
) -> None:
    """After a few tries, and not as something else: an account without a token has no trouble with its network."""
    monkeypatch.setattr(patience, "WAITS_S", (0.01,) * 5)
    monkeypatch.setattr(patience, "PERMISSION_WAIT_S", 0.01)
    server = serve()
    server.refusals += [refusal] * 20
    reader = server.source()

    assert await read(reader, ids=(S,)) == []
    assert reader.coverage().state is State.FAILED
    assert words in reader.coverage().notes[0]
    assert len(server.filters) == most


async def test_only_what_was_read_to_its_end_counts_as_whole(serve) -> None:
    """What is kept is taken for all there is: neither the start of a reading will do, nor a later empty one."""
    server = serve()
    server.write(lines(1500))
    reader, query = server.source(), LogQuery(WINDOW, ids=(S,))
    async with aclosing(reader.read(query)) as batches:
        await anext(batches)
    assert not reader.gave_all(query)
    await read(reader, ids=(S,))
    assert reader.gave_all(query)

    server.refusals += [EXPIRED] * 2
    assert await read(reader, ids=(OTHER,)) == []
    assert await read(reader, ids=(S,)) == []

    assert not reader.gave_all(query)
    assert not reader.gave_all(LogQuery(WINDOW, ids=(OTHER,)))


async def test_plain_text_never_leaves_this_machine() -> None:
    """Logs are confidential: without TLS only loopback is allowed."""
    settings = LoggingSettings(project=PROJECT, endpoint="http://10.0.0.1:80")
    reader = CloudLogging(settings, ClusterSettings(), load_catalogue())

    with pytest.raises(SettingsError, match="only an address of this machine"):
        await read(reader, ids=(S,))


async def test_all_sessions_of_a_window_are_read_page_by_page(serve) -> None:
    """Of every service at once, and nothing of another hour; a session that may go on is open."""
    server = serve()
    server.write(
        [
            *lines(1500),
            *lines(3, OTHER, 2000),
            *lines(5, "session_1753619999999_later", 5000),
        ]
    )
    overview = await list_sessions(
        SessionsRequest(
            settings=server.settings(),
            now_ns=START_NS + 2 * 3600 * NS_PER_S,
            since_ns=START_NS,
            until_ns=WINDOW.end_ns,
        )
    )

    assert {line.id: line.entries for line in overview.sessions} == {
        S: 1500,
        OTHER: 3,
    }
    assert overview.coverage.sources[0].state is State.COMPLETE
    assert overview.coverage.sources[0].requests == len(server.filters) <= 2 + len(set(server.filters[1:]))
