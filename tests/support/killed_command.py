"""A command line that is killed with SIGKILL once a number of steps is done; steps after the last checkpoint are lost.

``python killed_command.py STEPS WORD…`` runs ``ssl-domains WORD…``.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any

from ssl_domains.cli.app import run
from ssl_domains.engine.step.step import TrainingStep


def main(steps: int, words: list[str]) -> int:
    call = TrainingStep.__call__

    def or_die(self: TrainingStep, batch: Any, number: int) -> Any:
        if number == steps:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(self, batch, number)

    TrainingStep.__call__ = or_die  # type: ignore[method-assign]
    return run(words)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
