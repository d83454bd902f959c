"""The device of the benchmark: its description, its clock and its memory."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch

__all__ = ["describe", "peak_bytes", "seconds_of", "synchronise", "turns"]


def describe(device: torch.device) -> dict[str, Any]:
    """The card and the software in words: no host name, no path."""
    found: dict[str, Any] = {
        "card": "no card: the CPU",
        "CPUs": os.cpu_count(),
        "architecture": platform.machine(),
        "Python": platform.python_version(),
        "torch": torch.__version__,
        "CUDA": torch.version.cuda or "absent",
        "float32 matmul precision": torch.get_float32_matmul_precision(),
    }
    for package in ("timm", "triton", "ssl-domains"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "absent"
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        found |= {
            "card": properties.name,
            "card memory in GB": round(properties.total_memory / 1e9, 1),
            "multiprocessors": properties.multi_processor_count,
            "compute capability": f"{properties.major}.{properties.minor}",
            "cuDNN": torch.backends.cudnn.version(),  # type: ignore[no-untyped-call]
        }
    return found


def synchronise(device: torch.device) -> None:
    """Wait until the device has done all its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def seconds_of(call: Callable[[], object], device: torch.device) -> float:
    """Seconds of one call: by CUDA events on a GPU, from the first kernel's start to the end of the last."""
    synchronise(device)
    if device.type != "cuda":
        before = time.perf_counter()
        call()
        return time.perf_counter() - before
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    start.record()
    call()
    end.record()
    torch.cuda.synchronize(device)
    return float(start.elapsed_time(end)) / 1e3


def turns(arms: Mapping[str, Callable[[], object]], rounds: int, device: torch.device) -> dict[str, list[float]]:
    """Seconds of each arm, round by round. The order turns, so that no arm always runs after the same other one."""
    names = list(arms)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            seconds[name].append(seconds_of(arms[name], device))
    return seconds


def peak_bytes(call: Callable[[], object], device: torch.device) -> int | None:
    """Highest memory of the device during a call, above what was allocated before; None on a CPU."""
    if device.type != "cuda":
        return None
    torch.cuda.empty_cache()
    torch.cuda.synchronize(device)
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    call()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before
