"""``python -m pipeline.local.cloud_logging``: flags, or the environment's variables of the same names."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading

from pipeline.local.cloud_logging.admin import start_admin
from pipeline.local.cloud_logging.board import Switchboard
from pipeline.local.cloud_logging.service import LoggingService, build_server
from pipeline.local.cloud_logging.settings import read_settings
from pipeline.local.cloud_logging.store import EntryStore
from pipeline.local.cloud_logging.switches import list_switches
from pipeline.wire.environment import Environment, read_or_exit

_GRACE_S = 1.0
_PLACES = {
    "google_cloud_project": "the projects that have entries, with commas between",
    "port": "of the Logging API; 0: any",
    "admin_port": "where GET and PATCH /switches are answered; none by default",
}


def main() -> None:
    """Serve until SIGTERM."""
    flags = _parse_flags()
    settings = read_or_exit(read_settings, Environment({**os.environ, **flags}))
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    board = Switchboard(settings.switches)
    listen = settings.listen
    try:
        server, port = build_server(LoggingService(settings, EntryStore(), board))
        admin = None if settings.admin_port is None else start_admin(listen.host, settings.admin_port, board)
    except (RuntimeError, OSError) as error:
        sys.exit(str(error))
    server.start()
    sys.stderr.write(f"listening on {listen.host}:{port}\n")
    if admin is not None:
        sys.stderr.write(f"switches at http://{listen.host}:{admin.server_port}/switches\n")
    sys.stderr.flush()
    stop.wait()
    server.stop(_GRACE_S).wait()


def _parse_flags() -> dict[str, str]:
    """The variables that flags stand for."""
    parser = argparse.ArgumentParser(prog="python -m pipeline.local.cloud_logging", description=__doc__)
    for name, meaning in {**_PLACES, **list_switches()}.items():
        parser.add_argument(f"--{name.replace('_', '-')}", metavar="VALUE", help=meaning.replace("%", "%%"))
    given = vars(parser.parse_args())
    return {name.upper(): value for name, value in given.items() if value is not None}


if __name__ == "__main__":
    main()
