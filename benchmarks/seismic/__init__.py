"""Reading SEG-Y volumes: ``python -m benchmarks seismic``.

One made-up volume is written in four formats. `access` times parts in memory against segyio and against a bare memory
map, `cold` counts what a patch reads from the disk, `memory` measures a scan and crops of a large file, and `waiting`
measures how long a training step waits for patches.
"""

from __future__ import annotations

from typing import Any

__all__ = ["Sizes", "run"]


def __getattr__(name: str) -> Any:
    """Imported at first use, so that a process which measures one part loads no more than that."""
    if name in __all__:
        from benchmarks.seismic import command

        return getattr(command, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
