"""``python -m pipeline.frontend``: the scripted caller."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict

from pipeline.frontend.caller import make_call
from pipeline.frontend.core import CallReport
from pipeline.frontend.settings import Settings, read_settings
from pipeline.wire.flite import SpeechError


def main() -> None:
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
