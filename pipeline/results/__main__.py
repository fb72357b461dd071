"""``python -m pipeline.results``."""

from __future__ import annotations

from pipeline.results.service import build_service
from pipeline.results.settings import SERVICE, read_settings
from pipeline.wire.environment import load_or_exit
from pipeline.wire.serving import run_service


def main() -> None:
    """Run the results service until a signal ends it."""
    settings = load_or_exit(read_settings)
    run_service(SERVICE, settings.listen, lambda log: build_service(settings, log))


if __name__ == "__main__":
    main()
