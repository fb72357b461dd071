from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace

import pytest

from pipeline.local.errors import StackError
from pipeline.local.state import PodState, StackState, StateFolder, read_state

STATE = StackState(
    supervisor=1,
    logging="http://127.0.0.1:20001",
    kafka="127.0.0.1:20002",
    daemons={"kafka": 7},
    pods={"orchestrator": PodState("orchestrator-5c9b7f6d84-q8wzn", "uid", 20003, None, 2)},
    services={"orchestrator": "127.0.0.1:20003"},
)


@pytest.fixture
def claim(tmp_path):
    """`claim()`: the folder, taken; it is given back after the test."""
    folders = []

    def take():
        folders.append(StateFolder.claim(tmp_path / "stack"))
        return folders[-1]

    yield take
    for folder in folders:
        folder.release()


def test_state_is_read_back(claim, tmp_path):
    """What the supervisor writes is what another process reads."""
    claim().write_state(STATE)

    assert read_state(tmp_path / "stack") == STATE


def test_diag_settings_have_the_agreed_keys(claim):
    """diag.toml is what diag's settings file looks like."""
    folder = claim()
    folder.write_diag_toml(STATE)

    assert tomllib.loads(folder.diag_toml.read_text()) == {
        "logging": {"endpoint": "http://127.0.0.1:20001", "project": "voice-agent-local"},
        "cluster": {"name": "voice-agent", "location": "local", "namespace": "voice-agent"},
        "kafka": {"bootstrap": "127.0.0.1:20002"},
    }


def test_a_stack_with_topics_of_its_own_tells_diag(claim):
    """The list lies beside the settings, which name it."""
    folder = claim()
    folder.write_diag_toml(STATE, topics="[[topic]]\n")

    assert tomllib.loads(folder.diag_toml.read_text())["topics"] == {"file": "topics.toml"}
    assert (folder.root / "topics.toml").read_text() == "[[topic]]\n"


def test_second_stack_is_refused(claim, tmp_path):
    """One folder, one stack; the refusal is one line that names the folder."""
    claim()

    with pytest.raises(StackError, match=rf"^a stack runs in {tmp_path}/stack already: .*$"):
        StateFolder.claim(tmp_path / "stack")


def test_dead_stack_is_taken_over(tmp_path):
    """The folder of a supervisor that was killed is free, and what it has left is cleared away."""
    script = (
        "import sys, time; from pathlib import Path; from pipeline.local.state import StateFolder, StackState\n"
        "folder = StateFolder.claim(Path(sys.argv[1])); folder.write_state(StackState(1, '', ''))\n"
        "(folder.pods / 'old').mkdir(); print('claimed', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path / "stack")], stdout=subprocess.PIPE
    ) as supervisor:
        assert supervisor.stdout
        supervisor.stdout.readline()
        supervisor.send_signal(signal.SIGKILL)

    folder = StateFolder.claim(tmp_path / "stack")

    assert list(folder.pods.iterdir()) == []
    assert not (tmp_path / "stack" / "stack.json").exists()
    folder.release()


def test_logs_outlive_the_stack(tmp_path):
    """After the end logs and settings can still be read; nobody takes the stack for a running one."""
    folder = StateFolder.claim(tmp_path / "stack")
    folder.write_state(STATE)
    folder.write_diag_toml(STATE)
    (folder.pods / "x.log").touch()
    folder.release()

    assert sorted(path.name for path in (tmp_path / "stack").iterdir()) == [
        "diag.toml",
        "lock",
        "logs",
        "pods",
    ]
    with pytest.raises(StackError, match="no stack runs in"):
        read_state(tmp_path / "stack")


def test_other_files_in_the_folder_are_left_alone(claim, tmp_path):
    """A folder that was named by mistake loses nothing."""
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "precious.txt").touch()

    claim()

    assert (tmp_path / "stack" / "precious.txt").exists()


@pytest.mark.parametrize("prepare", [lambda folder: None, lambda folder: folder.mkdir()])
def test_no_stack_leaves_no_trace(tmp_path, prepare):
    """Asking for a stack where none is does not make a folder or a file."""
    prepare(tmp_path / "stack")

    with pytest.raises(StackError, match="start one with python -m pipeline up"):
        read_state(tmp_path / "stack")
    assert [name for _, _, files in os.walk(tmp_path) for name in files] == []


def test_folder_that_cannot_be_used(tmp_path):
    """A file in the folder's place is an error of one line."""
    (tmp_path / "stack").touch()

    with pytest.raises(StackError, match="cannot be used for a stack"):
        StateFolder.claim(tmp_path / "stack")


def test_unknown_service_is_named():
    """The error lists the services that there are."""
    with pytest.raises(StackError, match="no service tts in the stack: it has orchestrator"):
        STATE.address_of("tts")


def test_what_a_cluster_restarts_is_told_with_its_command():
    """Pods of a cluster are not the stack's to restart: the one line for it is named."""
    state = replace(STATE, pods={}, kubectl="/s/kubectl")

    with pytest.raises(StackError, match=r"/s/kubectl rollout restart deployment/orchestrator$"):
        state.pod_of("orchestrator")


def test_settings_of_a_cluster_name_its_kubeconfig(claim):
    """Diag reads the cluster of a stack that is one, and nobody else's of one that is none."""
    folder = claim()

    folder.write_diag_toml(STATE)
    assert "kubernetes" not in tomllib.loads(folder.diag_toml.read_text())
    folder.write_diag_toml(STATE, folder.cluster / "viewer.kubeconfig")
    settings = tomllib.loads(folder.diag_toml.read_text())

    assert settings["kubernetes"] == {"kubeconfig": str(folder.cluster / "viewer.kubeconfig")}
