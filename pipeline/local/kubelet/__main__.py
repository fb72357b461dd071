"""``python -m pipeline.local.kubelet``."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import closing, suppress

from pipeline.local.control_plane.api import Api
from pipeline.local.errors import StackError
from pipeline.local.kubelet.addresses import PodAddresses
from pipeline.local.kubelet.kubelet import Kubelet
from pipeline.local.kubelet.settings import Settings, read_settings
from pipeline.wire.environment import load_or_exit


def main() -> None:
    """Be a node's kubelet until SIGTERM."""
    settings = load_or_exit(read_settings)
    try:
        asyncio.run(_run(settings))
    except* (StackError, OSError) as errors:
        sys.exit("; ".join(str(error) for error in errors.exceptions))


async def _run(settings: Settings) -> None:
    running = asyncio.current_task()
    assert running  # noqa: S101 - asyncio.run has made it
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, running.cancel)
    with closing(PodAddresses()) as addresses, suppress(asyncio.CancelledError):
        async with Api(settings.kubeconfig) as api:
            await Kubelet(settings, api, addresses).run()


if __name__ == "__main__":
    main()
