"""Deterministic algorithms on a CPU: the same configuration gives the same bits on the same kind of machine."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

__all__ = ["same_bits"]


@contextmanager
def same_bits(device: torch.device) -> Iterator[None]:
    """On a CPU, use torch's deterministic algorithms inside the block; the former setting is restored afterwards.

    Without them, threads add some indexed sums in a different order each time. Nothing is done on a GPU, where
    deterministic algorithms are slow and equal bits are not promised.
    """
    if device.type != "cpu":
        yield
        return
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    try:
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*does not have a deterministic implementation.*")
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]
