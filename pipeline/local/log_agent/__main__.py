"""``python -m pipeline.local.log_agent``."""

from __future__ import annotations

import signal
import threading

from pipeline.local.log_agent.files import LogFiles
from pipeline.local.log_agent.sender import Sender
from pipeline.local.log_agent.service import LogAgent
from pipeline.local.log_agent.settings import read_settings
from pipeline.wire.environment import load_or_exit


def main() -> None:
    """Forward the logs until SIGTERM; what was written before it is sent."""
    settings = load_or_exit(read_settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    sender = Sender(settings.endpoint)
    try:
        LogAgent(LogFiles(settings.pods), settings.node, sender).run(stop)
    finally:
        sender.close()


if __name__ == "__main__":
    main()
