"""``python -m pipeline.local.cluster_logs``."""

from __future__ import annotations

import asyncio
import signal

# makes the type of audit entries known to protobuf's JSON parser
from google.cloud.audit import audit_log_pb2 as _known  # noqa: F401

from pipeline.local.cluster_logs.audit_file import AuditFile
from pipeline.local.cluster_logs.service import Exporter
from pipeline.local.cluster_logs.settings import Settings, read_settings
from pipeline.local.control_plane.api import Api
from pipeline.local.log_agent.sender import Sender
from pipeline.wire.environment import load_or_exit


async def _export(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    sender = Sender(settings.endpoint)
    try:
        async with Api(settings.kubeconfig) as api:
            await Exporter(api, AuditFile(settings.audit_log), settings.origin, sender).run(stop)
    finally:
        sender.close()


def main() -> None:
    """Export until SIGTERM."""
    asyncio.run(_export(load_or_exit(read_settings)))


if __name__ == "__main__":
    main()
