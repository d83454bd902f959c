"""Reading SEG-Y volumes: ``python -m benchmarks seismic``.

One made-up volume is written in four formats. `access` times parts in memory against segyio and against a bare memory
map, `cold` counts what a patch reads from the disk, `memory` measures a scan and crops of a large file, and `waiting`
measures how long a training step waits for patches.
"""

from benchmarks.seismic.command import Sizes, run

__all__ = ["Sizes", "run"]
