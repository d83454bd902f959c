"""Which machine trains, and in which precision. Nothing is chosen silently but what ``auto`` says."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal

import torch

from ssl_domains.errors import UsageError

__all__ = ["autocast", "resolve_device", "resolve_precision"]

Precision = Literal["float32", "bfloat16"]


def resolve_device(name: str) -> torch.device:
    """The device of a configuration; ``auto`` is the first GPU where there is one, else the CPU.

    Raises:
        UsageError: For a device that torch does not know or this machine does not have, and for one process of many.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise UsageError("distributed training comes with a later release", "start one process, without torchrun")
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"train.device is {name!r}, which is no device", "use auto, cpu, cuda or cuda:1") from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"train.device {name!r} isn't supported", "use auto, cpu, cuda or cuda:1")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        seen = f"torch sees {torch.cuda.device_count()} CUDA devices"
        raise UsageError(f"train.device is {name!r}, but {seen}", "use --set train.device=auto")
    return device


def resolve_precision(name: str, device: torch.device) -> Precision:
    """``auto`` is bfloat16 on a GPU that has it, float32 elsewhere.

    Raises:
        UsageError: When bfloat16 is asked of a GPU that can't do it.
    """
    capable = device.type == "cpu" or torch.cuda.is_bf16_supported()
    if name == "bfloat16" and not capable:
        raise UsageError("this GPU can't compute in bfloat16", "use --set train.precision=float32")
    if name == "auto":
        return "bfloat16" if device.type == "cuda" and capable else "float32"
    return "bfloat16" if name == "bfloat16" else "float32"


def autocast(device: torch.device, precision: Precision) -> AbstractContextManager[Any]:
    """The context the encoder and head run in; the loss runs outside it, in float32."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)
