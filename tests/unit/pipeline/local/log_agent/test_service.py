from __future__ import annotations

import threading

import pytest

from pipeline.local.cri import Piece, format_line, log_path
from pipeline.local.log_agent import service
from pipeline.local.log_agent.entry import Node
from pipeline.local.log_agent.files import LogFiles
from pipeline.local.log_agent.sender import NotSentError
from pipeline.local.log_agent.service import LogAgent
from pipeline.local.pods import mint_pod

NODE = Node("p", "c", "l", "n")


class Server:
    """Takes entries, unless it is away or finds them wrong."""

    def __init__(self):
        self.entries = []
        self.away = 0
        self.refuses = None
        self.heard = threading.Event()

    def send(self, entries):
        if self.away:
            self.away -= 1
            raise NotSentError("away")
        if self.refuses:
            return self.refuses
        self.entries += entries
        self.heard.set()
        return None

    @property
    def texts(self):
        return [entry["textPayload"] for entry in self.entries]


@pytest.fixture
def server():
    return Server()


@pytest.fixture
def agent(tmp_path, server, monkeypatch):
    monkeypatch.setattr(service, "POLL_S", 0.01)
    return LogAgent(LogFiles(tmp_path), NODE, server)


@pytest.fixture
def log(tmp_path):
    """`log(text, ...)`: appends whole lines to the log of one pod."""
    path = log_path(tmp_path, mint_pod("service", "ns", "t"), 0)

    def append(*texts):
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            for text in texts:
                file.write(format_line(1, "stdout", Piece(text.encode())))

    return append


def test_lines_are_sent_once(agent, server, log):
    """Each line is one entry, and what was taken is not sent again."""
    log("one", "two")
    assert agent.forward()
    log("three")
    assert agent.forward()

    assert not agent.forward()
    assert server.texts == ["one", "two", "three"]


def test_nothing_is_lost_while_the_server_is_away(agent, server, log):
    """Lines wait in their files until they are taken, in order."""
    server.away = 2
    log("one")
    with pytest.raises(NotSentError):
        agent.forward()
    log("two")
    with pytest.raises(NotSentError):
        agent.forward()

    agent.forward()

    assert server.texts == ["one", "two"]


def test_what_is_refused_does_not_stop_the_rest(agent, server, log, capsys):
    """Entries that would be refused for ever are reported and given up."""
    server.refuses = "400 bad entry"
    log("one")
    agent.forward()
    server.refuses = None
    log("two")
    agent.forward()

    assert server.texts == ["two"]
    assert capsys.readouterr().err == "entries refused: 400 bad entry\n"


def test_line_of_another_form_is_passed_over(tmp_path, agent, server, log):
    """What is no line of a container runtime does not become an entry, and harms no other line."""
    log("one")
    (path,) = tmp_path.glob("*/*/0.log")
    with path.open("ab") as file:
        file.write(b"not a CRI line\n")
    log("two")

    agent.forward()

    assert server.texts == ["one", "two"]


def test_running_agent_follows(agent, server, log, eventually):
    """What is written is sent, through an outage, until the agent is told to stop."""
    stop = threading.Event()
    running = threading.Thread(target=agent.run, args=(stop,))
    running.start()
    try:
        server.away = 3
        log("one")
        eventually(lambda: server.texts == ["one"])
        log("two")
        eventually(lambda: server.texts == ["one", "two"])
    finally:
        stop.set()
        running.join(10)

    assert not running.is_alive()


def test_outage_is_reported_once(agent, server, log, capsys, eventually):
    """A server that is away for long does not fill the agent's log."""
    stop = threading.Event()
    server.away = 3
    log("one")
    running = threading.Thread(target=agent.run, args=(stop,))
    running.start()
    eventually(server.heard.is_set)
    stop.set()
    running.join(10)

    assert capsys.readouterr().err == "entries not sent, trying again: away\n"


def test_stopped_agent_sends_what_is_left(agent, server, log):
    """Whatever was written before the stop is sent, also if the first attempt fails."""
    stop = threading.Event()
    stop.set()
    server.away = 1
    log(*(str(number) for number in range(2500)))

    agent.run(stop)

    assert server.texts == [str(number) for number in range(2500)]


def test_stopped_agent_gives_up_at_last(agent, server, log, monkeypatch, capsys):
    """A server that does not come back does not keep the agent."""
    monkeypatch.setattr(service, "FLUSH_S", 0.05)
    stop = threading.Event()
    stop.set()
    server.away = 10**9
    log("one")

    agent.run(stop)

    assert "stopped before the last entries were sent" in capsys.readouterr().err
