"""`python -m windlass` is the same as `windlass`."""

from __future__ import annotations

import sys

from windlass.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
