"""Manifests are read, whatever lies in the folder, and nothing of them is made or run."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from diag.errors import SourceError
from diag.model.manifests import Manifest, Manifests
from diag.sources.manifests import folder as folder_module
from diag.sources.manifests import read_manifests
from diag.sources.manifests.kustomize import split_image
from tests.repositories import write

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: orchestrator, namespace: voice}
spec:
  replicas: 2
  selector: {matchLabels: {app: orchestrator}}
  template:
    spec:
      containers:
      - name: orchestrator
        image: registry.example:5000/voice/orchestrator:v1
        ports: [{name: http, containerPort: 8080}]
        env:
        - {name: KAFKA_PASSWORD, value: hunter2secret}
        - {name: PORT, value: "8080"}
        readinessProbe: {httpGet: {path: /readyz, port: http}, periodSeconds: 7}
"""
SERVICE = "kind: Service\nmetadata: {name: orchestrator}\nspec:\n  ports: [{port: 80, targetPort: http}]\n  sessionAffinity: ClientIP\n"


def read(folder: Path, **files: str) -> Manifests:
    write(folder, {name.replace("__", "/").replace("_yaml", ".yaml"): text for name, text in files.items()})
    return read_manifests(str(folder))


def only(folder: Path, **files: str) -> Manifest:
    (one,) = read(folder, **files).objects
    return one


def test_an_object_is_told_with_its_lines_and_no_secret(tmp_path: Path) -> None:
    """Of variables the names alone."""
    one = only(tmp_path, app_yaml=DEPLOYMENT)
    (box,) = one.containers

    assert (one.kind, one.namespace, one.name, one.ref, one.replicas) == (
        "deployment",
        "voice",
        "orchestrator",
        "app.yaml:2",
        2,
    )
    assert (box.image, box.variables) == (
        "registry.example:5000/voice/orchestrator:v1",
        ("KAFKA_PASSWORD", "PORT"),
    )
    assert (box.probes[0].role, box.probes[0].path, box.probes[0].port, box.probes[0].period_s) == (
        "readiness",
        "/readyz",
        "http",
        7,
    )
    assert (one.ref_of("replicas"), one.ref_of("image of orchestrator")) == ("app.yaml:6", "app.yaml:12")
    assert "hunter2secret" not in repr(one)


def test_secrets_in_addresses_are_replaced(tmp_path: Path) -> None:
    """Of a probe, and of an image that somebody wrote as one."""
    secret = DEPLOYMENT.replace("path: /readyz", 'path: "/readyz?token=hunter2secret"').replace(
        "registry.example:5000/", "https://me:hunter2secret@registry.example:5000/"
    )
    assert secret.count("hunter2secret") > DEPLOYMENT.count("hunter2secret") + 1

    assert "hunter2secret" not in repr(only(tmp_path, app_yaml=secret))


def test_documents_lists_and_folders_are_gone_through(tmp_path: Path) -> None:
    """Several in a file, a `List`, JSON, and a folder in a folder; hidden ones are left out."""
    both = f"{DEPLOYMENT}---\n# nothing\n---\n{SERVICE}"
    listed = (
        "kind: List\nitems:\n- {kind: Service, metadata: {name: a}}\n- {kind: Service, metadata: {name: b}}\n"
    )
    found = read(tmp_path, both_yaml=both, sub__list_yaml=listed)
    write(
        tmp_path,
        {
            "c.json": '{"kind": "Service", "metadata": {"name": "c"}}',
            ".git/d.yaml": SERVICE,
            "notes.txt": SERVICE,
        },
    )

    assert [one.name for one in found.objects] == ["orchestrator", "orchestrator", "a", "b"]
    assert found.objects[1].line == 21
    assert [one.name for one in read_manifests(str(tmp_path)).objects] == [
        "orchestrator",
        "orchestrator",
        "c",
        "a",
        "b",
    ]
    assert len(read_manifests(str(tmp_path / "c.json")).objects) == 1


def test_anchors_and_merges_are_what_kubectl_makes_of_them(tmp_path: Path) -> None:
    """A table's own keys win."""
    text = "kind: Deployment\nmetadata: &m {name: a, namespace: x}\nspec: &s\n  replicas: 3\n---\nkind: Service\nmetadata: {name: b}\n"
    merged = "base: &b {replicas: 3, type: x}\nkind: Deployment\nmetadata: {name: c}\nspec:\n  <<: *b\n  replicas: 5\n"

    assert [one.replicas for one in read(tmp_path, a_yaml=text).objects] == [3, None]
    assert only(tmp_path / "two", b_yaml=merged).replicas == 5
    assert not read_manifests(str(tmp_path / "two")).doubled


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind: [\n", "line 2"),
        ("a: &a [*a]\n", "holds itself"),
        ("a: *b\n", "no anchor"),
        ("a: " + "[" * 5000, "nested"),
        ("a: " + "{b: " * 3000, "nested"),
        ("[" + "x," * 300_000 + "]", "more than 200,000 values"),
        ("a: !!python/object/apply:os.system [touch ran]\nkind: x\n\tb", "line 3"),
        ("kind: Deployment\nmetadata: {name: {{ .Values.name }}}\n", "Helm"),
        ("{{- if .Values.on }}\nkind: Deployment\n{{- end }}\n", "Helm"),
        ("a: b\0c\n", "not allowed"),
    ],
)
def test_what_is_no_yaml_is_told_and_the_rest_is_read(tmp_path: Path, text: str, said: str) -> None:
    """In one line, with its place."""
    found = read(tmp_path, a_yaml=text, b_yaml=SERVICE)

    assert [one.name for one in found.objects] == ["orchestrator"]
    assert [(one.path, said in one.reason) for one in found.not_read] == [("a.yaml", True)], found.not_read


def test_a_bomb_of_aliases_costs_what_it_is_long(tmp_path: Path) -> None:
    """And a tag constructs nothing."""
    evil = (
        f"{BOMB}kind: Deployment\nmetadata: {{name: a}}\nspec: {{template: {{spec: {{containers: *a29}}}}}}\n"
    )
    tagged = "kind: !!python/object/apply:os.system [touch ran]\n"
    began = time.process_time()
    found = read(tmp_path, a_yaml=evil, b_yaml=tagged)

    assert time.process_time() - began < 10
    assert [len(one.containers) for one in found.objects] == [10]
    assert not (tmp_path / "ran").exists()
    assert not Path("ran").exists()


def test_a_key_that_stands_twice_is_told(tmp_path: Path) -> None:
    """The last counts, as for kubectl."""
    found = read(tmp_path, a_yaml=SERVICE + "  sessionAffinity: None\n")

    assert found.objects[0].affinity == "None"
    assert [one.path for one in found.doubled] == ["a.yaml:6"]


def test_links_pipes_and_large_files_are_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each with its reason; a loop of folders is none."""
    monkeypatch.setattr(folder_module, "LARGEST_FILE", 500)
    write(tmp_path / "out", {"secret.yaml": SERVICE})
    write(tmp_path / "in", {"a.yaml": SERVICE, "large.yaml": "#" * 501, "bad.yaml": b"\xff\xfe\xff"})
    (tmp_path / "in/link.yaml").symlink_to(tmp_path / "out/secret.yaml")
    (tmp_path / "in/folder").symlink_to(tmp_path / "out")
    os.mkfifo(tmp_path / "in/pipe.yaml")
    found = read_manifests(str(tmp_path / "in"))

    assert [one.ref for one in found.objects] == ["a.yaml:1"]
    assert {one.path for one in found.not_read} == {"link.yaml", "large.yaml", "pipe.yaml", "bad.yaml"}


def test_a_folder_of_too_many_files_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was read stays."""
    monkeypatch.setattr(folder_module, "MOST_FILES", 2)
    found = read(tmp_path, a_yaml=SERVICE, b_yaml=SERVICE, c_yaml=SERVICE)

    assert (len(found.objects), found.cut) == (2, "only the first 2 files were read")


@pytest.mark.parametrize("path", ["gone", "a\0b", "x" * 5000, "."])
def test_what_is_no_folder_of_manifests_is_said(workdir: Path, path: str) -> None:
    """With what to do."""
    with pytest.raises(SourceError) as caught:
        read_manifests(path)
    assert caught.value.hint


KUSTOMIZATION = "namespace: voice\nresources: [app.yaml, svc.yaml]\nimages:\n- {name: a/orchestrator, newName: r/orchestrator, newTag: v9}\n"
APP = "kind: Deployment\nmetadata: {name: o}\nspec: {template: {spec: {containers: [{name: o, image: 'a/orchestrator:v1'}]}}}\n"


def test_a_kustomization_beside_its_files_is_followed(tmp_path: Path) -> None:
    """Namespace, and names and tags of images."""
    found = read(
        tmp_path, kustomization_yaml=KUSTOMIZATION, app_yaml=APP, svc_yaml=SERVICE, other_yaml=SERVICE
    )
    by_path = {one.path: one for one in found.objects}

    assert by_path["app.yaml"].containers[0].image == "r/orchestrator:v9"
    assert [by_path[name].namespace for name in ("app.yaml", "svc.yaml", "other.yaml")] == [
        "voice",
        "voice",
        "",
    ]
    assert not any(one.patched_by for one in found.objects)


@pytest.mark.parametrize(
    "more",
    ["patches: [{path: p.yaml}]", "namePrefix: x-", "components: [../c]", "replicas: [{name: o, count: 3}]"],
)
def test_what_a_kustomization_does_more_is_marked(tmp_path: Path, more: str) -> None:
    """Nobody takes such a file for what is wanted."""
    one, _ = read(
        tmp_path, kustomization_yaml=f"{KUSTOMIZATION}{more}\n", app_yaml=APP, svc_yaml=SERVICE
    ).objects

    assert one.patched_by == "kustomization.yaml"


def test_an_overlay_marks_the_base_that_it_changes(tmp_path: Path) -> None:
    """Which overlay is applied, a folder does not say."""
    found = read(
        tmp_path,
        base__kustomization_yaml="resources: [app.yaml]\n",
        base__app_yaml=APP,
        prod__kustomization_yaml="resources: [../base]\nimages: [{name: a/orchestrator, newTag: v3}]\n",
    )
    (one,) = found.objects

    assert (one.containers[0].image, one.patched_by) == ("a/orchestrator:v1", "prod/kustomization.yaml")


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("a", ("a", "")),
        ("r:5000/a", ("r:5000/a", "")),
        ("r:5000/a:v1", ("r:5000/a", ":v1")),
        ("a@sha256:ab", ("a", "@sha256:ab")),
        ("r:5000/a:v1@sha256:ab", ("r:5000/a", ":v1@sha256:ab")),
    ],
)
def test_an_images_name_is_taken_apart(image: str, parts: tuple[str, str]) -> None:
    """A registry's port is no tag."""
    assert split_image(image) == parts
