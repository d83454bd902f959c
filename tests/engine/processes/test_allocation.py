"""Freed memory is kept inside, given back afterwards, and left alone where the environment says how to allocate."""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from ssl_domains.engine import Run
from ssl_domains.engine.processes import allocation
from ssl_domains.engine.processes.allocation import freed_memory_kept

MIB = 1 << 20
CPU = torch.device("cpu")

glibc = pytest.mark.skipif(allocation._glibc() is None, reason="no glibc, or the environment says how to allocate")


def faults_of_steps() -> int:
    """Pages that the system hands out for two steps of a net with buffers of 34 MB, the first steps left out."""
    net = nn.Sequential(nn.Conv2d(8, 8, 1), nn.ReLU(), nn.Conv2d(8, 8, 1), nn.ReLU())
    images = torch.rand(64, 8, 128, 128)
    for step in range(6):
        if step == 4:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        net(images).sum().backward()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@glibc
def test_memory_is_used_again_inside() -> None:
    outside = faults_of_steps()
    with freed_memory_kept(CPU):
        inside = faults_of_steps()
    assert inside * 4 < outside


@glibc
def test_memory_is_given_back() -> None:
    with freed_memory_kept(CPU):
        before = resident()
        torch.full((256 * MIB // 4,), 1.0)
        assert resident() > before + 200 * MIB
    assert resident() < before + 100 * MIB


class Recorder:
    """Stands in for the C library."""

    def __init__(self) -> None:
        self.options: list[tuple[int, int]] = []
        self.trimmed = 0

    def mallopt(self, option: int, value: int) -> None:
        self.options.append((option, value))

    def malloc_trim(self, pad: int) -> None:
        self.trimmed += 1


def test_it_is_put_back_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    libc = Recorder()
    monkeypatch.setattr(allocation, "_glibc", lambda: libc)
    with pytest.raises(RuntimeError), freed_memory_kept(CPU):
        raise RuntimeError
    for option, kept in (allocation._MMAP_MAX, 0), (allocation._TRIM_THRESHOLD, -1):
        inside, after = [value for one, value in libc.options if one == option]
        assert inside == kept < after
    assert libc.trimmed == 2  # before the block and after it


def test_nothing_is_done_for_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    libc = Recorder()
    monkeypatch.setattr(allocation, "_glibc", lambda: libc)
    with freed_memory_kept(torch.device("cuda")):
        assert not libc.options


@pytest.mark.parametrize("name", ["MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES"])
def test_the_environment_is_left_its_say(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "")
    assert allocation._glibc() is None


def test_it_changes_no_number(train: Callable[..., Run], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = train(tmp_path / "kept").encoder_state()
    monkeypatch.setattr(allocation, "_glibc", lambda: None)
    plain = train(tmp_path / "plain").encoder_state()
    assert all(torch.equal(value, plain[name]) for name, value in kept.items())
