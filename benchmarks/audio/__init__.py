"""Recordings: ``python -m benchmarks audio``.

`log_mel` times spectrograms of a batch against librosa, `step` a step of SimCLR against a loop written by hand,
`scanning` headers and contents of short files, `memory` a scan of a long recording, and `waiting` how long a training
step waits for clips.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Sizes", "run"]


def __getattr__(name: str) -> Any:
    """Imported at first use, so that a process which measures one part loads no more than that."""
    if name in __all__:
        from benchmarks.audio import command

        return getattr(command, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
