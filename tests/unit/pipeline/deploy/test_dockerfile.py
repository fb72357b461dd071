"""The Dockerfile: pinned, without rights, and in agreement with manifests and stack."""

from __future__ import annotations

import pytest

from pipeline.local.services import SERVICES
from tests.unit.pipeline.deploy.dockerfile import Stage, chain, read_dockerfile, targets
from tests.unit.pipeline.deploy.manifests import DEPLOY, containers, environment_of, of_kind

STAGES = read_dockerfile()
TARGETS = targets(STAGES)
DEPLOYMENTS = of_kind("Deployment")


def each_target(argument: str = "stage") -> pytest.MarkDecorator:
    return pytest.mark.parametrize(argument, TARGETS.values(), ids=TARGETS.keys())


def test_every_deployment_has_its_target() -> None:
    """And no target is built for nothing."""
    assert set(TARGETS) == set(DEPLOYMENTS)


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_an_image_starts_what_the_stack_starts(service) -> None:
    """The same module, with the same words behind it."""
    (command,) = TARGETS[service.name].named("CMD")

    assert tuple(command.words[1:]) == service.argv[1:]


def test_base_images_are_pinned_and_come_from_nowhere_in_particular() -> None:
    """A version and a distribution; no registry's host."""
    bases = {stage.base for stage in STAGES.values()} - set(STAGES)

    assert bases == {"python:3.11-slim-bookworm"}


@each_target()
def test_a_container_runs_as_the_user_that_the_manifest_names(stage: Stage) -> None:
    """By number, so that a cluster can tell that it is not root."""
    user = [i for i in chain(STAGES, stage.name) if i.name == "USER"][-1].rest
    pod = DEPLOYMENTS[stage.name]["spec"]["template"]["spec"]["securityContext"]

    assert user == f"{pod['runAsUser']}:{pod['runAsGroup']}"


@each_target()
def test_a_signal_reaches_the_service(stage: Stage) -> None:
    """The exec form: no shell stands between, as process 1, and swallows SIGTERM."""
    (command,) = stage.named("CMD")

    assert command.is_exec_form


@each_target()
def test_an_image_holds_its_own_service_and_no_other(stage: Stage) -> None:
    """The wire, and one package."""
    copied = {
        i.words[0]
        for i in chain(STAGES, stage.name)
        if i.name == "COPY" and i.words[0].startswith("pipeline/")
    }
    (command,) = stage.named("CMD")
    own = command.words[2].replace(".", "/")

    assert copied == {"pipeline/__init__.py", "pipeline/wire", own}


@each_target()
def test_the_port_of_the_image_is_the_manifests(stage: Stage) -> None:
    """Documentation that is wrong is worse than none."""
    (exposed,) = [i.rest for i in chain(STAGES, stage.name) if i.name == "EXPOSE"]
    (container,) = containers(DEPLOYMENTS[stage.name])

    assert exposed == environment_of(DEPLOYMENTS[stage.name])["PORT"]
    assert str(container["ports"][0]["containerPort"]) == exposed


def test_packages_are_installed_by_hash_from_the_lock() -> None:
    """What is tested is what is deployed; nothing is compiled on the way."""
    (install,) = [i for i in STAGES["packages"].named("RUN") if "pip install" in i.rest]

    assert "--require-hashes" in install.words
    assert "--only-binary :all:" in install.rest


def test_the_build_sees_no_more_than_it_copies() -> None:
    """A checkout may hold recordings, reports and credentials."""
    lines = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    seen = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        word.partition("/")[0]
        for stage in STAGES.values()
        for i in stage.named("COPY")
        if not i.flags
        for word in i.words[:-1]
    }

    assert "**" in lines
    assert seen == copied
