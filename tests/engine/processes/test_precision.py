"""Devices and precision: what ``auto`` means, and no silent fallback."""

from __future__ import annotations

import pytest
import torch

from ssl_domains.engine.processes.precision import autocast, resolve_device, resolve_precision
from ssl_domains.errors import UsageError

CPU, GPU = torch.device("cpu"), torch.device("cuda")


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("auto") == CPU
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == GPU


@pytest.mark.parametrize("name", ["cuda", "cuda:1", "mps", "gpu", "cpu:x"])
def test_a_device_that_is_not_here_is_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(UsageError) as caught:
        resolve_device(name)
    assert caught.value.hint


def test_auto_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert (resolve_precision("auto", CPU), resolve_precision("auto", GPU)) == ("float32", "bfloat16")
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: False)
    assert resolve_precision("auto", GPU) == "float32"
    with pytest.raises(UsageError, match="bfloat16"):
        resolve_precision("bfloat16", GPU)


def test_the_encoder_runs_in_bfloat16_only_inside() -> None:
    a = torch.ones(2, 2)
    with autocast(CPU, "bfloat16"):
        assert (a @ a).dtype == torch.bfloat16
    with autocast(CPU, "float32"):
        assert (a @ a).dtype == torch.float32


def test_each_of_several_processes_takes_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda", 1)
    assert resolve_device("cpu") == CPU
    with pytest.raises(UsageError, match="for every process"):
        resolve_device("cuda:1")
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UsageError, match="torch sees 2 CUDA devices"):
        resolve_device("auto")
