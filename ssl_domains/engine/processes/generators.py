"""Global random generators: seed them for a run, restore them afterwards, and store them in checkpoints."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor

__all__ = ["drawing_apart", "generator_states", "reseed", "restore_generators", "seeded"]


def generator_states() -> dict[str, Tensor]:
    """The states of Python's, NumPy's and torch's global generators, as tensors.

    Tensors, because ``torch.load(weights_only=True)`` loads no other objects, which could run code.
    """
    _, words, gauss = random.getstate()
    legacy = np.random.get_state(legacy=False)  # noqa: NPY002 - this stores the global generator
    inner = legacy["state"]
    states = {
        "python": torch.tensor(words, dtype=torch.int64),
        "python_gauss": torch.tensor([] if gauss is None else [gauss], dtype=torch.float64),
        "numpy": torch.from_numpy(inner["key"].astype(np.int64)),
        "numpy_position": torch.tensor([inner["pos"], legacy["has_gauss"]], dtype=torch.int64),
        "numpy_gauss": torch.tensor([legacy["gauss"]], dtype=torch.float64),
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        states |= {f"cuda:{i}": state for i, state in enumerate(torch.cuda.get_rng_state_all())}
    return states


def restore_generators(states: Mapping[str, Tensor]) -> None:
    """Set the global generators to the states of `generator_states`. States of GPUs that are not there are skipped."""
    gauss = states["python_gauss"].tolist()
    random.setstate((3, tuple(states["python"].tolist()), gauss[0] if gauss else None))
    position, has_gauss = states["numpy_position"].tolist()
    np.random.set_state(  # noqa: NPY002
        (
            "MT19937",
            states["numpy"].numpy().astype(np.uint32),
            position,
            has_gauss,
            float(states["numpy_gauss"][0]),
        )
    )
    torch.set_rng_state(states["torch"].cpu())
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        for i in range(torch.cuda.device_count()):
            if f"cuda:{i}" in states:
                torch.cuda.set_rng_state(states[f"cuda:{i}"].cpu(), i)


def reseed(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.manual_seed(seed)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Seed the global generators for the block, and restore their former states afterwards."""
    before = generator_states()
    try:
        reseed(seed)
        yield
    finally:
        restore_generators(before)


@contextmanager
def drawing_apart(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's generators for the block; afterwards they continue as if nothing had been drawn in it."""
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield
