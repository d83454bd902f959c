"""A command line that is killed with SIGKILL as soon as the checkpoint of a step is written.

``python killed_command.py STEP WORD…`` runs ``ssl-domains WORD…``.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ssl_domains.cli.app import run
from ssl_domains.engine.record.checkpoint import Checkpoints


def main(last: int, words: list[str]) -> int:
    save = Checkpoints.save

    def and_die(self: Checkpoints, step: int, state: Mapping[str, Any]) -> Path:
        path = save(self, step, state)
        if step == last:
            os.kill(os.getpid(), signal.SIGKILL)
        return path

    Checkpoints.save = and_die  # type: ignore[method-assign]
    return run(words)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
