"""``python tests/fuzz``: fuzz the command line; see ``--help``."""

from __future__ import annotations

import sys

from fuzzing.command import main

if __name__ == "__main__":
    sys.exit(main())
