"""``--init``: every form of weights that fits, and a plain word for those that don't."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.engine import Run
from ssl_domains.engine.loop.initial import initial_encoder
from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import InputSpec


def _initial(init: str | Path, name: str = "small_conv", in_chans: int = 1) -> Encoder:
    return initial_encoder(name, InputSpec("image", in_chans, (16, 16)), str(init), seed=0)


def _same(first: nn.Module, second: nn.Module) -> bool:
    one, other = first.state_dict(), second.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


@pytest.fixture
def source() -> Encoder:
    return create_encoder("small_conv", 1, seed=42)


def test_random_follows_the_seed(source: Encoder) -> None:
    assert _same(_initial("random"), create_encoder("small_conv", 1, seed=0))
    assert not _same(_initial("random"), source)


def test_a_run_gives_its_encoder(left_alone: Run) -> None:
    assert _same(_initial(left_alone.folder), left_alone.encoder())


def test_safetensors_of_the_model_and_torch_files_in_their_usual_wrappings(source: Encoder, tmp_path: Path) -> None:
    save_file(source.model.state_dict(), tmp_path / "model.safetensors")
    assert _same(_initial(tmp_path / "model.safetensors"), source)
    wrappings: dict[str, Any] = {
        "plain": source.state_dict(),
        "model": source.model.state_dict(),
        "lightning": {"state_dict": {f"encoder.{name}": value for name, value in source.state_dict().items()}},
        "parallel": {"model": {f"module.{name}": value for name, value in source.model.state_dict().items()}},
        "with a head": {**source.state_dict(), "model.fc.weight": torch.zeros(10, 128)},
    }
    for name, wrapped in wrappings.items():
        torch.save(wrapped, tmp_path / f"{name}.pt")
        assert _same(_initial(tmp_path / f"{name}.pt"), source), name


def test_weights_that_do_not_fit_are_counted_and_named(source: Encoder, tmp_path: Path) -> None:
    torch.save(source.state_dict(), tmp_path / "w.pt")
    with pytest.raises(UsageError, match=r"1 weights .* 16×1×3×3, not 16×3×3×3"):
        _initial(tmp_path / "w.pt", in_chans=3)
    with pytest.raises(UsageError, match=r"\d+ weights .*missing") as caught:
        _initial(tmp_path / "w.pt", name="resnet10t")
    assert "encoder.name" in caught.value.hint
    extra = {**source.state_dict(), "model.more": torch.zeros(1)}
    torch.save(extra, tmp_path / "x.pt")
    with pytest.raises(UsageError, match=r"model\.more is unknown"):
        _initial(tmp_path / "x.pt")


def test_files_that_hold_no_weights(source: Encoder, tmp_path: Path) -> None:
    (tmp_path / "garbage.safetensors").write_bytes(b"garbage")
    (tmp_path / "garbage.pt").write_bytes(b"garbage")
    torch.save({"a": 1}, tmp_path / "numbers.pt")
    torch.save(source, tmp_path / "whole_model.pt")  # would have to run code to load
    for name in ("garbage.safetensors", "garbage.pt", "numbers.pt", "whole_model.pt"):
        with pytest.raises(DataError, match=name):
            _initial(tmp_path / name)


def test_what_is_neither(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="neither a file nor a run"):
        _initial(tmp_path / "nowhere.pt")
    with pytest.raises(UsageError, match="not a run folder"):
        _initial(tmp_path)


def test_a_run_goes_on_from_the_weights_of_another(left_alone: Run, train: Callable[..., Any], tmp_path: Path) -> None:
    started = train(tmp_path / "run", (f"encoder.init='{left_alone.folder}'", "train.epochs=0"))
    assert _same(started.encoder(), left_alone.encoder())
