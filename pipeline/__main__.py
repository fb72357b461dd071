"""``python -m pipeline``: the reference voice agent on this machine.

The parts that a command needs are imported when it runs: ``parts`` is to answer at once.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.local.errors import StackError

if TYPE_CHECKING:
    from pipeline.local.demo import Demo
    from pipeline.local.plan import Plan
    from pipeline.local.stack import Stack

app = typer.Typer(
    help="The reference voice agent, on real parts, on this machine.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
demo_app = typer.Typer(
    invoke_without_command=True, help="Real calls through a real stack, explained by diag."
)
app.add_typer(demo_app, name="demo")

Folder = Annotated[Path, typer.Option("--folder", help="The stack's folder.")]
Cluster = Annotated[
    bool, typer.Option("--cluster", help="The services as pods of a cluster: a real control plane.")
]
DEFAULT_FOLDER = Path(".stack")


@app.command()
def parts(
    *,
    install: Annotated[bool, typer.Option("--install", help="Get what is missing.")] = False,
    cluster: Annotated[bool, typer.Option("--cluster", help="What a cluster needs, too.")] = False,
    browser: Annotated[bool, typer.Option("--browser", help="What the page's tests need, too.")] = False,
) -> None:
    """What the stack needs beyond Python packages: list it, or get it."""
    from pipeline.local.parts import install_parts, list_parts  # noqa: PLC0415 - see above

    if install:
        for line in install_parts(_note, cluster=cluster, browser=browser):
            _note(line)
        return
    lines, complete = list_parts(cluster=cluster, browser=browser)
    typer.echo("\n".join(lines))
    raise typer.Exit(0 if complete else 1)


@app.command()
def up(
    folder: Folder = DEFAULT_FOLDER,
    replicas: Annotated[
        str, typer.Option(help="Replicas of services, such as orchestrator=2,media-server=2.")
    ] = "",
    *,
    cluster: Cluster = False,
) -> None:
    """Start the stack and keep it until Ctrl-C."""
    from pipeline.local.plan import plan_from_environment, with_replicas  # noqa: PLC0415 - see above
    from pipeline.local.services import read_replicas  # noqa: PLC0415
    from pipeline.local.supervisor import INTERRUPTED, keep  # noqa: PLC0415

    async def serve(stack: Stack) -> int:
        typer.echo(_describe(stack, folder))
        return await keep(stack)

    if cluster and replicas:
        raise StackError("the replicas of a cluster are its deployments': kubectl scale changes them")
    plan = with_replicas(plan_from_environment(folder), read_replicas(replicas))
    code = _supervise(plan, serve, cluster=cluster)
    raise typer.Exit(0 if code == INTERRUPTED else code)


@app.command()
def restart(service: str, folder: Folder = DEFAULT_FOLDER) -> None:
    """Restart a service of the running stack."""
    from pipeline.local.control import restart_service  # noqa: PLC0415 - see above

    pod = restart_service(folder, service)
    typer.echo(f"{pod.name} is ready again, restart {pod.restarts}")


@app.command()
def logging(
    switches: Annotated[list[str] | None, typer.Argument(metavar="NAME=VALUE", help="To change.")] = None,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """The switches of the running stack's logging server: show them, or change some."""
    from pipeline.local.control import change_switches  # noqa: PLC0415 - see above

    pairs = [text.partition("=") for text in switches or ()]
    changes = {name.replace("-", "_"): value for name, _, value in pairs}
    for name, value in change_switches(folder, changes).items():
        typer.echo(f"{name}={value}")


@app.command()
def call(
    say: Annotated[list[str] | None, typer.Option(help="A sentence; may be repeated.")] = None,
    folder: Folder = DEFAULT_FOLDER,
    *,
    mismatch: Annotated[
        bool, typer.Option("--mismatch", help="Bind the WebSocket to another session ID.")
    ] = False,
    interrupt: Annotated[
        bool, typer.Option("--interrupt", help="Speak each next sentence over the reply before it.")
    ] = False,
    reply_timeout: Annotated[
        float, typer.Option(min=0.1, max=600, help="Seconds that the caller waits for each reply.")
    ] = 15.0,
) -> None:
    """One call through the running stack; prints its report as JSON."""
    from pipeline.local.calls import SENTENCES, CallPlan, call_once  # noqa: PLC0415 - see above

    code, report = call_once(folder, CallPlan(tuple(say or SENTENCES), mismatch, reply_timeout, interrupt))
    typer.echo(json.dumps(report, indent=2))
    raise typer.Exit(code)


@demo_app.callback()
def demo(context: typer.Context, folder: Folder = DEFAULT_FOLDER) -> None:
    """A healthy call and a sick one, both explained."""
    from pipeline.local.demo import Demo  # noqa: PLC0415 - see above
    from pipeline.local.plan import plan_from_environment  # noqa: PLC0415

    if context.invoked_subcommand is None:
        raise typer.Exit(_run_demo(plan_from_environment(folder), Demo.explain_two_calls))


@demo_app.command()
def topics(folder: Folder = DEFAULT_FOLDER) -> None:
    """The topic audio-in is lost, and repaired with diag."""
    from pipeline.local.demo import Demo  # noqa: PLC0415 - see above
    from pipeline.local.kafka_admin import ALL_TOPICS  # noqa: PLC0415
    from pipeline.local.plan import plan_from_environment  # noqa: PLC0415

    raise typer.Exit(_run_demo(plan_from_environment(folder, ALL_TOPICS), Demo.repair_topics))


@demo_app.command()
def cluster(folder: Folder = DEFAULT_FOLDER) -> None:
    """The services as pods: a rollout to an image that does not exist, seen and taken back."""
    from pipeline.local.demo import Demo  # noqa: PLC0415 - see above
    from pipeline.local.plan import plan_from_environment  # noqa: PLC0415

    raise typer.Exit(_run_demo(plan_from_environment(folder), Demo.break_a_rollout, cluster=True))


def _run_demo(plan: Plan, play: Callable[[Demo], Awaitable[int]], *, cluster: bool = False) -> int:
    from pipeline.local.demo import Demo, find_diag, start_clock  # noqa: PLC0415 - see above

    report, diag = start_clock(), find_diag()

    async def use(stack: Stack) -> int:
        return await play(Demo(stack, diag, plan.folder / "diag.toml", report))

    return _supervise(plan, use, report, cluster=cluster)


def _supervise(
    plan: Plan,
    use: Callable[[Stack], Awaitable[int]],
    report: Callable[[str], None] | None = None,
    *,
    cluster: bool = False,
) -> int:
    from pipeline.local.cluster_stack import ClusterStack  # noqa: PLC0415 - see above
    from pipeline.local.stack import Stack  # noqa: PLC0415
    from pipeline.local.supervisor import supervise  # noqa: PLC0415

    build = ClusterStack if cluster else Stack
    return supervise(build(plan, report or _note), use)


def _describe(stack: Stack, folder: Path) -> str:
    """The addresses of the stack, and what to paste into another terminal."""
    state = stack.state
    rows = [("logging", state.logging), ("kafka", state.kafka)]
    rows += [(name, f"http://{address}") for name, address in state.services.items()]
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"  {name:{width}}{address}" for name, address in rows]
    bin_folder = os.path.relpath(Path(sys.executable).parent)
    commands = [
        f"{bin_folder}/python -m pipeline call{_name_folder(folder)}",
        f"{bin_folder}/diag session SESSION_ID --config {quote(str(folder / 'diag.toml'))}",
    ]
    if state.kubectl:
        commands.append(f"{os.path.relpath(state.kubectl)} get pods")
    page = state.services.get("frontend")
    browser = ["", f"in a browser: http://{page}"] if page else []
    return "\n".join(
        ["the stack is up; Ctrl-C ends it", *lines, *browser, "", "in another terminal:", *commands]
    )


def _name_folder(folder: Path) -> str:
    """The option of a command that is to find a stack in another folder than the usual one."""
    return "" if folder == DEFAULT_FOLDER else f" --folder {quote(str(folder))}"


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> None:
    """Run the command; what keeps it from being done is one line on stderr, and exit code 1."""
    try:
        app()
    except StackError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
