"""``python -m benchmarks.gpu``."""

from __future__ import annotations

import sys

from benchmarks.gpu.command import main

# The work is in a module of its own: a spawned process cannot find what a package's __main__ defines.
if __name__ == "__main__":
    sys.exit(main())
