"""Text lines: ``python -m benchmarks lines``.

`step` times a step of a recogniser's fine-tuning against a loop written by hand, `waiting` how long a training step
waits for lines, and `scanning` a scan of many lines in a database.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Sizes", "run"]


def __getattr__(name: str) -> Any:
    """Imported at first use, so that a process which measures one part loads no more than that."""
    if name in __all__:
        from benchmarks.lines import command

        return getattr(command, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
