"""``python -m diag``: the same as ``diag``, where that is not on the path."""

from __future__ import annotations

from diag.cli.main import main

if __name__ == "__main__":
    main()
