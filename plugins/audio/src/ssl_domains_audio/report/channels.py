"""The channel of a recording that is shown: the one that the table names, else the mean of all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains_audio.files.scale import full_scale

__all__ = ["mono"]


def mono(array: NDArray[Any], row: Mapping[str, Any]) -> NDArray[np.float32]:
    """One channel of a sample, float32 ``[t]`` in ±1; what is not finite is 0.

    Args:
        array: ``[t, c]`` or ``[t]`` in the type of the file.
        row: Its row; the column ``channel`` names the channel to take in the place of the mean.
    """
    values = full_scale(array).reshape(len(array), -1)
    named = row.get("channel")
    one = values.mean(axis=1) if named is None else values[:, min(int(named), values.shape[1] - 1)]
    return np.nan_to_num(one, posinf=0.0, neginf=0.0)
