"""``python -m pipeline.stt``."""

from __future__ import annotations

from pipeline.stt.service import build_service
from pipeline.stt.settings import SERVICE, read_settings
from pipeline.wire.environment import load_or_exit
from pipeline.wire.serving import run_service


def main() -> None:
    """Run the STT service until a signal ends it."""
    settings = load_or_exit(read_settings)
    run_service(SERVICE, settings.listen, build_service)


if __name__ == "__main__":
    main()
