"""``python -m pipeline.frontend``: the scripted caller; with ``serve`` the server of the page."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict

from pipeline.frontend.caller import make_call
from pipeline.frontend.core import CallReport
from pipeline.frontend.page_service import build_page_service
from pipeline.frontend.page_settings import SERVICE, read_page_settings
from pipeline.frontend.settings import Settings, read_settings
from pipeline.wire.environment import load_or_exit
from pipeline.wire.flite import SpeechError
from pipeline.wire.serving import run_service


def main() -> None:
    """Serve the page until a signal ends it, or make one call."""
    if sys.argv[1:] == ["serve"]:
        _serve_page()
    else:
        _call()


def _serve_page() -> None:
    settings = load_or_exit(read_page_settings)
    run_service(SERVICE, settings.listen, lambda log: build_page_service(settings, log))


def _call() -> None:
    """Make the call and print its report: 0 also where no reply came, 1 where there was no call."""
    settings = read_settings(sys.argv[1:])
    try:
        report = asyncio.run(_call_until_signal(settings))
    except SpeechError as error:
        sys.exit(str(error))
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit("the call was broken off")
    sys.stdout.write(json.dumps(asdict(report)) + "\n")
    sys.exit(0 if report.connected_ms is not None else 1)


async def _call_until_signal(settings: Settings) -> CallReport:
    """SIGTERM hangs up in good order, as Ctrl-C does."""
    call = asyncio.create_task(make_call(settings, _note))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, call.cancel)
    return await call


def _note(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
