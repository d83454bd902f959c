"""A step on a GPU is the step on the CPU, for methods of every shape."""

from __future__ import annotations

from typing import Any

import pytest
import torch

import method_doubles as doubles
from ssl_domains.methods import SimCLR
from ssl_domains.testing.method import same
from ssl_domains.testing.method_case import case_of
from ssl_domains.testing.method_training import train

METHODS = [
    SimCLR,
    doubles.ragged_waves,
    doubles.wave_and_mel,
    doubles.seats,
    doubles.parts,
    doubles.Bootstrap,
    doubles.queue,
    doubles.Correlation,
    doubles.two_sizes,
    doubles.refreshed,
]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("micro", [None, 3])
@pytest.mark.parametrize("target", METHODS, ids=lambda target: target.__name__)
def test_a_gpu_gives_the_gradients_of_the_cpu(target: Any, micro: int | None) -> None:
    case = case_of(target)
    on_cpu = train(case, dropout=False)
    same(train(case, micro=micro, dropout=False, device="cuda"), on_cpu, f"{target.__name__} on a GPU", limit=1e-6)
