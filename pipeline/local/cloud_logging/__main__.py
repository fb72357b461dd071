"""``python -m pipeline.local.cloud_logging``."""

from __future__ import annotations

import signal
import sys
import threading

from pipeline.local.cloud_logging.quota import ReadQuota
from pipeline.local.cloud_logging.service import LoggingService, build_server
from pipeline.local.cloud_logging.settings import read_settings
from pipeline.local.cloud_logging.store import EntryStore
from pipeline.wire.environment import load_or_exit

_GRACE_S = 1.0


def main() -> None:
    """Serve until SIGTERM."""
    settings = load_or_exit(read_settings)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        server, port = build_server(
            LoggingService(settings, EntryStore(), ReadQuota(settings.reads_per_minute))
        )
    except RuntimeError as error:
        sys.exit(str(error))
    server.start()
    sys.stderr.write(f"listening on {settings.listen.host}:{port}\n")
    stop.wait()
    server.stop(_GRACE_S).wait()


if __name__ == "__main__":
    main()
