"""Choose the device and the precision of a run from its configuration."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch

from ssl_domains.engine.processes.distributed import launched_processes, local_rank
from ssl_domains.errors import UsageError

__all__ = ["autocast", "resolve_device", "resolve_precision"]

Precision = Literal["float32", "bfloat16"]


def resolve_device(name: str) -> torch.device:
    """The device of a configuration; ``auto`` is the first GPU if there is one, else the CPU.

    Under ``torchrun``, ``auto`` and ``cuda`` give each process of a machine its own GPU.

    Raises:
        UsageError: For a device that torch does not know or that this machine does not have, for a GPU that several
            processes would share, and for more processes than GPUs.
    """
    if name == "auto":
        return _own_gpu(torch.device("cuda")) if torch.cuda.is_available() else torch.device("cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"train.device is {name!r}, which is no device", "use auto, cpu, cuda or cuda:1") from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"train.device {name!r} isn't supported", "use auto, cpu, cuda or cuda:1")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        available = f"torch sees {torch.cuda.device_count()} CUDA devices"
        raise UsageError(f"train.device is {name!r}, but {available}", "use --set train.device=auto")
    return _own_gpu(device) if device.type == "cuda" else device


def _own_gpu(device: torch.device) -> torch.device:
    if launched_processes() == 1:
        return device
    if device.index is not None:
        raise UsageError(f"train.device is '{device}' for every process", "use train.device=cuda: each takes its own")
    rank, gpus = local_rank(), torch.cuda.device_count()
    if rank >= gpus:
        raise UsageError(f"{rank + 1} processes or more, but torch sees {gpus} CUDA devices", "start one for each GPU")
    return torch.device("cuda", rank)


def resolve_precision(name: str, device: torch.device) -> Precision:
    """The precision of a configuration; ``auto`` is bfloat16 on a GPU that supports it, float32 elsewhere.

    Raises:
        UsageError: For bfloat16 on a GPU that does not support it.
    """
    capable = device.type == "cpu" or torch.cuda.is_bf16_supported()
    if name == "bfloat16" and not capable:
        raise UsageError("this GPU can't compute in bfloat16", "use --set train.precision=float32")
    if name == "auto":
        return "bfloat16" if device.type == "cuda" and capable else "float32"
    return "bfloat16" if name == "bfloat16" else "float32"


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """The autocast context for encoder and head. The loss must run outside it, in float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
