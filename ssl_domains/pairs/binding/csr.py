"""Many runs of an array at once: what a loop over CSR rows would visit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["runs"]

Ints = NDArray[np.int64]


def runs(first: Ints, sizes: Ints) -> Ints:
    """``first[0], first[0] + 1, …`` for ``sizes[0]`` steps, then the same from ``first[1]``, and so on."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    shift: Ints = np.repeat(first - (ends - sizes), sizes)
    return shift + np.arange(total, dtype=np.int64)
