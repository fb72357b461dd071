"""``diag doctor``: nothing is raised, nothing holds it up, and nothing is claimed that was not seen."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import pytest

from diag.app.doctor.clock import compare_clocks
from diag.app.doctor.examine import DoctorRequest, examine
from diag.app.doctor.here import examine_terminal
from diag.app.doctor.side_by_side import Probe, ask_side_by_side
from diag.cli.exits import of_checkup
from diag.errors import SourceError
from diag.model.checkup import Answer, Checkup, Health, Probed, TerminalFacts
from diag.model.instants import NS_PER_S, format_instant
from diag.model.records import LogRecord
from diag.render.doctor import WIDTH, render_checkup
from diag.sources.cloud_logging import Visit
from tests.kube_api import run_api_server

NOW_NS = 1_753_615_601 * NS_PER_S
GOOD = Answer(Health.OK, "good")
TERMINAL = TerminalFacts(100, "utf-8", colours=True)


def raise_(error: Exception) -> Answer:
    raise error


def test_what_hangs_costs_its_own_time_and_nobody_elses() -> None:
    """Each within its time; the ones that hang are told of, and not waited for."""
    never = threading.Event()
    hanging = [Probe(f"h{n}", lambda: never.wait() and GOOD, within_s=1) for n in range(40)]
    began = time.monotonic()
    answers, unfinished = ask_side_by_side([*hanging, Probe("quick", lambda: GOOD)])

    assert time.monotonic() - began < 20  # one after the other it were twice as long
    assert [one.answer.state for one in answers] == [Health.FAILED] * 40 + [Health.OK]
    assert "no answer within 1 s" in answers[0].answer.evidence
    assert unfinished
    never.set()


def test_whatever_is_raised_is_an_answer() -> None:
    """An error of ours with its hint, a fault with its name."""
    answers, unfinished = ask_side_by_side(
        [
            Probe("ours", lambda: raise_(SourceError("gone", hint="look there"))),
            Probe("fault", lambda: raise_(KeyError("x"))),
        ]
    )

    assert answers[0].answer == Answer(Health.FAILED, "gone", "look there")
    assert "a fault in diag: KeyError" in answers[1].answer.evidence
    assert not unfinished


def test_what_needs_another_is_not_tried_without_it() -> None:
    """Down the line; a warning hinders nothing."""
    tried: list[str] = []
    answers, _ = ask_side_by_side(
        [
            Probe("a", lambda: raise_(SourceError("gone"))),
            Probe("b", lambda: tried.append("b") or GOOD, after="a"),
            Probe("c", lambda: tried.append("c") or GOOD, after="b"),
            Probe("w", lambda: Answer(Health.WARNING, "hm")),
            Probe("d", lambda: GOOD, after="w"),
        ]
    )

    told = {one.name: one.answer for one in answers}
    assert told["b"].evidence == "needs a, which failed"
    assert told["c"].evidence == "needs b, which was not asked"
    assert told["d"].state is Health.OK
    assert tried == []


def test_what_nobody_named_is_not_asked_when_it_fails() -> None:
    """With its reason and what to do; what works is told as such."""
    answers, _ = ask_side_by_side(
        [
            Probe("a", lambda: raise_(SourceError("gone", hint="log in")), excused=True),
            Probe("b", lambda: GOOD, excused=True),
            Probe("c", lambda: Answer(Health.WARNING, "hm", partial=True), excused=True),
        ]
    )

    assert answers[0].answer.state is Health.NOT_ASKED
    assert "gone" in answers[0].answer.evidence
    assert answers[0].answer.remedy == "log in"
    assert answers[1].answer == GOOD
    assert not answers[2].answer.partial


@pytest.mark.parametrize(
    ("answers", "code"),
    [
        ({"settings": GOOD, "kafka": Answer(Health.NOT_ASKED, "none")}, 0),
        ({"settings": GOOD, "terminal": Answer(Health.WARNING, "narrow")}, 0),
        ({"settings": GOOD, "log-export": Answer(Health.WARNING, "none", partial=True)}, 5),
        ({"settings": GOOD, "kafka": Answer(Health.FAILED, "x"), "log-export": Answer(Health.WARNING, "", "", True)}, 4),
        ({"settings": Answer(Health.FAILED, "x"), "kafka": Answer(Health.FAILED, "x")}, 2),
    ],
)  # fmt: skip
def test_the_exit_code_is_that_of_the_worst(answers: dict[str, Answer], code: int) -> None:
    """As for every command: settings, failed, partial."""
    assert of_checkup(Checkup(tuple(Probed(*one) for one in answers.items()))) == code


def test_the_process_ends_with_its_code_though_a_thread_hangs() -> None:
    """A pool's threads are waited for at the end of every process, and a look-up can take minutes."""
    code = (
        "import concurrent.futures, threading\nfrom diag.cli.exits import leave\n"
        "concurrent.futures.ThreadPoolExecutor().submit(threading.Event().wait)\n"
        "print('told', end='')\nleave(4, unfinished=True)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, check=False)

    assert (done.returncode, done.stdout) == (4, b"told")


def visit(received_ns: int | None, service_ns: int | None, took_ns: int = NS_PER_S // 10) -> Visit:
    """One that began at `NOW_NS` by our clock."""
    entries = () if received_ns is None else (LogRecord({"receiveTimestamp": format_instant(received_ns)}),)
    return Visit(entries, False, NOW_NS, NOW_NS + took_ns, service_ns)


@pytest.mark.parametrize(
    ("received_s", "service_s", "state", "words"),
    [
        (None, 0, Health.OK, "-1.0 s to +0.1 s against"),
        (None, -3, Health.OK, "+2.0 s to +3.1 s against"),
        (None, -60, Health.WARNING, "ahead of the log service by 59.0 s or more"),
        (None, 60, Health.WARNING, "behind the log service by 59.9 s or more"),
        (500, 0, Health.OK, "against"),
        (-3, None, Health.OK, "ahead of the log service by no more than 3.1 s (its newest entry)"),
        (90, None, Health.WARNING, "behind the log service by 89.9 s or more"),
        (-600, None, Health.NOT_ASKED, "its newest entry is 600.1 s old"),
        (None, None, Health.NOT_ASKED, "told no time"),
    ],
)
def test_no_more_is_said_of_the_clock_than_an_answer_proves(
    received_s: int | None, service_s: int | None, state: Health, words: str
) -> None:
    """The service's second lies between asking and answer; an entry had come in before it was read."""
    received = None if received_s is None else NOW_NS + received_s * NS_PER_S
    service = None if service_s is None else NOW_NS + service_s * NS_PER_S
    answer = compare_clocks(visit(received, service))

    assert answer.state is state
    assert words in answer.evidence
    assert bool(answer.remedy) == (state is Health.WARNING)


def test_a_slow_answer_is_no_clock_that_is_wrong() -> None:
    """Half a minute on the way leaves half a minute open."""
    assert compare_clocks(visit(None, NOW_NS + 29 * NS_PER_S, 30 * NS_PER_S)).state is Health.OK
    assert compare_clocks(visit(None, NOW_NS, 30 * NS_PER_S)).state is Health.OK


@pytest.mark.parametrize(
    ("terminal", "state", "words"),
    [
        (TERMINAL, Health.OK, "100 columns, utf-8, colours"),
        (TerminalFacts(None, "UTF-8", False), Health.OK, "plain text"),
        (TerminalFacts(60, "utf-8", False), Health.WARNING, "60 columns, utf-8, no colours"),
        (TerminalFacts(100, "ascii", True), Health.WARNING, "ascii"),
    ],
)
def test_the_terminal_is_told_as_it_is(terminal: TerminalFacts, state: Health, words: str) -> None:
    """A warning there changes no exit code."""
    answer = examine_terminal(terminal)

    assert (answer.state, answer.partial) == (state, False)
    assert words in answer.evidence


def examine_here(flags=None, **environment: str) -> Checkup:
    return examine(DoctorRequest(flags or {}, environment, None, TERMINAL, NOW_NS))


def test_nothing_named_is_nothing_asked(workdir) -> None:
    """Each with its reason, and how it would be."""
    checkup = examine_here()

    assert checkup.find("settings").state is Health.OK
    asked = {one.name for one in checkup.probes if one.answer.state is not Health.NOT_ASKED}
    assert asked == {"settings", "terminal"}
    assert "--project" in checkup.find("credentials").remedy
    assert "--kafka" in checkup.find("kafka").remedy
    assert "Kubernetes" in checkup.find("kubernetes").evidence
    assert of_checkup(checkup) == 0


@pytest.mark.parametrize(
    ("text", "flags", "words"),
    [
        ("[kafka]\nbootstrp = 1\nx = 2", {}, "diag.toml:2: no setting kafka.bootstrp (and 1 more"),
        ("", {"logging.quota": "many"}, "logging.quota must be"),
        ("[kafka", {}, "no TOML"),
    ],
)
def test_wrong_settings_are_an_answer_too(workdir, text: str, flags: dict, words: str) -> None:
    """The first fault with its line; nothing else can be asked with them."""
    (workdir / "diag.toml").write_text(text)
    checkup = examine_here(flags)

    assert checkup.find("settings").state is Health.FAILED
    assert words in checkup.find("settings").evidence
    assert {one.name for one in checkup.probes} == {"settings", "kubernetes", "terminal"}
    assert of_checkup(checkup) == 2


def test_the_view_fits_its_columns_and_is_harmless() -> None:
    """Whatever a server says."""
    hostile = "\x1b[31m \u202e <b>" + "x" * 500 + "\n" * 3 + "y " * 300
    checkup = Checkup(tuple(Probed("log-entries", Answer(state, hostile, hostile)) for state in Health))
    lines = render_checkup(checkup).plain.splitlines()

    assert max(map(len, lines)) <= WIDTH
    assert all(line.isprintable() for line in lines)
    assert lines[-1] == "1 ok, 1 warning, 1 failed, 1 not asked"


def test_a_cluster_that_may_be_read_in_part_names_the_right_that_is_missing(workdir) -> None:
    """Named, so a session would be judged with less than was asked for."""
    with run_api_server() as api:
        api.says("/api/v1/namespaces/voice/events", {"message": "events is forbidden"}, 403)
        path = api.kubeconfig(workdir / "kube")
        answer = examine_here({"kubernetes.kubeconfig": path}).find("kubernetes")
        api.answers.clear()
        whole = examine_here({"kubernetes.kubeconfig": path}).find("kubernetes")

    assert (answer.state, answer.partial) == (Health.WARNING, True)
    assert "not events in voice: not allowed" in answer.evidence
    assert answer.remedy.startswith("grant list events")
    assert whole.state is Health.OK
    assert "0 pods" in whole.evidence


def test_a_cluster_that_is_named_and_away_is_a_failure_with_its_reason(workdir) -> None:
    """The one that a session would give."""
    answer = examine_here({"kubernetes.kubeconfig": str(workdir / "nowhere")}).find("kubernetes")

    assert answer.state is Health.FAILED
    assert "there is no kubeconfig at" in answer.evidence
    assert "get-credentials" in answer.remedy
