from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from pipeline.local import demo
from pipeline.local.demo import Demo, find_diag, start_clock
from pipeline.local.errors import StackError
from pipeline.local.manifests import MANIFESTS
from pipeline.local.state import PodState, StackState

HEALTHY, SICK = "session_1_healthy", "session_2_sick"


STATE = StackState(
    supervisor=1,
    logging="http://127.0.0.1:1",
    kafka="127.0.0.1:2",
    pods={name: PodState(name, "u", 1, 1, 0) for name in ("orchestrator", "media-server")},
)


@dataclass
class FakeStack:
    """A stack of which only the addresses are asked, and restarts noted."""

    state: StackState = STATE
    restarted: list[str] = field(default_factory=list)

    async def restart(self, service):
        self.restarted.append(service)


@pytest.fixture
def world(monkeypatch, tmp_path, make_program):
    """All that the demo meets, as stand-ins, and what it did to them, in order."""
    events = []

    async def make_call(_state, plan, *, quiet):
        events.append(f"call {'mismatch' if plan.mismatch else 'plain'}")
        session_id = SICK if plan.mismatch else HEALTHY
        turns = [{"reply": None if plan.mismatch else "yes"} for _ in plan.sentences]
        return 0, {"session_id": session_id, "socket_session_id": "session_3_socket", "turns": turns}

    async def wait_until_quiet(_endpoint, _project, session_ids):
        events.append(f"quiet {' '.join(session_ids)}")

    async def delete_topic(bootstrap, name):
        events.append(f"delete {name} at {bootstrap}")

    async def is_consumed(_bootstrap, group, topic):
        events.append(f"{group} has {topic}")
        return True

    async def is_starved(_bootstrap, group, topic):
        events.append(f"{group} waits for {topic}")
        return True

    for stand_in in (make_call, wait_until_quiet, delete_topic, is_consumed, is_starved):
        monkeypatch.setattr(demo, stand_in.__name__, stand_in)
    return events


@pytest.fixture
def diag(tmp_path, make_program):
    """`diag(codes, output)`: an executable that notes its arguments and ends with each code in turn."""

    def make(codes, output=""):
        (tmp_path / "codes").write_text("\n".join(map(str, codes)))
        script = (
            "import pathlib, sys\n"
            f"folder = pathlib.Path({str(tmp_path)!r})\n"
            "code, *rest = (folder / 'codes').read_text().splitlines()\n"
            "(folder / 'codes').write_text(chr(10).join(rest))\n"
            "with (folder / 'asked').open('a') as asked: print(*sys.argv[1:], file=asked)\n"
            f"print({output!r})\n"
            "sys.exit(int(code))"
        )
        (tmp_path / "diag.py").write_text(script)
        return make_program("diag", f'exec {sys.executable} {tmp_path}/diag.py "$@"')

    return make


def build(program):
    said = []
    stack = FakeStack()
    return Demo(stack, program, Path("some/diag.toml"), said.append), stack, said


def asked(tmp_path):
    return (tmp_path / "asked").read_text().splitlines()


async def test_two_calls_are_explained(world, diag, tmp_path, capfd):
    """A healthy call and a sick one are made, left to rest, and each is explained as expected."""
    program, _, said = build(diag([0, 12], "the report"))

    assert await program.explain_two_calls() == 0

    assert world == ["call plain", "call mismatch", f"quiet {HEALTHY} {SICK} session_3_socket"]
    assert asked(tmp_path) == [f"session {name} --config some/diag.toml" for name in (HEALTHY, SICK)]
    assert capfd.readouterr().out == "the report\n" * 2
    assert said[-1] == "both sessions are explained as expected"


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        ([12], rf"^diag session {HEALTHY} ended with 12, expected was 0$"),
        ([0, 0], rf"^diag session {SICK} ended with 0, expected was 12$"),
        ([0, 4], rf"^diag session {SICK} ended with 4, expected was 12$"),
    ],
)
async def test_other_verdicts_are_failures(world, diag, codes, message):
    """A verdict that is not the expected one ends the demo in one line."""
    program, _, _ = build(diag(codes))

    with pytest.raises(StackError, match=message):
        await program.explain_two_calls()


async def test_call_that_was_not_connected_ends_the_demo(world, diag, monkeypatch):
    """Without a call there is nothing to explain."""

    async def make_call(_state, _plan, *, quiet):
        return 1, {"session_id": HEALTHY, "turns": []}

    monkeypatch.setattr(demo, "make_call", make_call)
    program, _, _ = build(diag([0]))

    with pytest.raises(StackError, match=f"{HEALTHY} was never connected"):
        await program.explain_two_calls()


KUBECTL = """
echo "$@" >> {asked}
case "$*" in
  "get pods") echo "stt-service-1 0/1 ImagePullBackOff";;
  "rollout status"*=1s) exit {status};;
esac
"""


def build_cluster(diag, make_program, tmp_path, status=1):
    """The demo of a cluster whose rollout, asked while it hangs, ends with `status`."""
    kubectl = make_program("kubectl", KUBECTL.format(asked=tmp_path / "kubectl-asked", status=status))
    stack = FakeStack(replace(STATE, kubectl=str(kubectl)))
    return Demo(stack, diag([0, 0]), Path("some/diag.toml"), lambda _: None)


async def test_a_bad_rollout_is_seen_and_taken_back(world, diag, make_program, tmp_path, capfd):
    """After a call an image is set that does not exist; it is shown, undone, and the call explained from all."""
    assert await build_cluster(diag, make_program, tmp_path).break_a_rollout() == 0

    done = [
        line for line in (tmp_path / "kubectl-asked").read_text().splitlines() if not line.startswith("get")
    ]
    assert [line.split()[:2] for line in done] == [
        ["set", "image"],
        ["rollout", "status"],
        ["rollout", "undo"],
        ["rollout", "status"],
    ]
    assert done[0].endswith("stt-service=voice-agent/stt-service:9.9.9")
    cluster, session = asked(tmp_path)
    assert cluster == "cluster --config some/diag.toml"
    assert session.startswith(f"session {HEALTHY} --manifests {MANIFESTS}")
    assert "ImagePullBackOff" in capfd.readouterr().out


async def test_a_rollout_that_succeeds_with_no_image_ends_the_demo(world, diag, make_program, tmp_path):
    """What cannot be is told in one line: the command, its exit code, and the one expected."""
    with pytest.raises(StackError, match=r"rollout status .* ended with 0, expected was 1"):
        await build_cluster(diag, make_program, tmp_path, status=0).break_a_rollout()


async def test_topic_is_repaired(world, diag, tmp_path, capfd):
    """audio-in is deleted, found missing, made again; the consumer that diag names is restarted."""
    program, stack, _ = build(diag([12, 0, 12, 0, 0], "created audio-in; restart orchestrator"))

    assert await program.repair_topics() == 0

    assert asked(tmp_path) == [
        "topics --config some/diag.toml",
        "topics --create-missing --config some/diag.toml",
        "topics --config some/diag.toml",
        "topics --config some/diag.toml",
        f"session {HEALTHY} --config some/diag.toml",
    ]
    assert stack.restarted == ["orchestrator"]
    assert world == [
        "orchestrator-group-v2 has audio-in",
        "delete audio-in at 127.0.0.1:2",
        "orchestrator-group-v2 waits for audio-in",
        "orchestrator-group-v2 has audio-in",
        "call plain",
        f"quiet {HEALTHY} session_3_socket",
    ]
    assert capfd.readouterr().out.count("restart orchestrator") == 5


async def test_only_who_is_told_to_restart_is_restarted(world, diag):
    """A service that is only mentioned is left alone; to name none at all is a failure."""
    program, stack, _ = build(diag([12, 0, 12, 0, 0], "created audio-in\nread by media-server"))

    with pytest.raises(StackError, match="names no consumer to restart"):
        await program.repair_topics()
    assert stack.restarted == []


@pytest.mark.parametrize(
    ("codes", "code", "expected"), [([12, 1], 1, 0), ([12, 0, 0], 0, 12), ([12, 0, 12, 12], 12, 0)]
)
async def test_repair_that_does_not_succeed_is_a_failure(world, diag, codes, code, expected):
    """A topic that is not made, or still missing after that, ends the demo."""
    program, _, _ = build(diag(codes, "restart orchestrator"))

    with pytest.raises(StackError, match=rf"^diag topics.* ended with {code}, expected was {expected}$"):
        await program.repair_topics()


async def test_missing_topic_that_is_not_found_is_a_failure(world, diag):
    """A diag that finds nothing wrong with a topic that was deleted fails the demo."""
    program, _, _ = build(diag([0]))

    with pytest.raises(StackError, match=r"^diag topics ended with 0, expected was 12$"):
        await program.repair_topics()


def test_diag_stands_beside_python(monkeypatch, make_program):
    """The demo runs the diag of its own virtual environment, and says how to get it."""
    diag = make_program("diag", "")
    monkeypatch.setattr(sys, "executable", str(diag.with_name("python")))

    assert find_diag() == diag
    diag.unlink()
    with pytest.raises(StackError, match="make setup"):
        find_diag()


def test_progress_has_seconds(capsys):
    """Each line of progress goes to stderr and says when."""
    start_clock()("Kafka is ready")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.split() == ["0.0", "s", "Kafka", "is", "ready"]
