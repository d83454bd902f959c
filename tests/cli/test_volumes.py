"""Volumes from a plugin file: a preprocess and an encoder of its own with 3-D convolutions, through the commands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

PLUGIN = """
from pathlib import Path

import numpy as np
import polars as pl
import torch
from torch import nn

from ssl_domains.encoders import Encoder, Features, masked_mean
from ssl_domains.extending import Domain, EncoderEntry
from ssl_domains.inputs import InputSpec
from ssl_domains.samples import Problems, Region, SampleTable, ScanResult
from ssl_domains.views import Gain, SequenceRecipe, register_preprocess


class Reader:
    version = "1"
    axes = "zyx"

    def scan(self, source, **options):
        paths = sorted(Path(source).glob("*.npy"))
        rows = [{"sample": path.stem, "path": str(path), "body": path.stem[0]} for path in paths]
        return ScanResult(SampleTable(pl.DataFrame(rows)), Problems().frame())

    def open(self, row):
        return Region.npy(row["path"])

    def load(self, row):
        return np.load(row["path"])


@register_preprocess
class Volume:
    name, columns, spec = "volume of a test", (), InputSpec("volume", 1, (4, 5, 6))

    def __call__(self, array, facts=None):
        return self.spec.input(torch.from_numpy(array.astype(np.float32))[None, None])

    def to_dict(self):
        return {}

    @classmethod
    def from_dict(cls, values):
        return cls()


class Encoder3d(Encoder):
    def forward(self, values, valid=None):
        places = self.model(values)
        return Features(masked_mean(places, valid), places, valid)


def build(takes, init):
    model = nn.Sequential(nn.Conv3d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv3d(4, 8, 3, padding=1))
    return Encoder3d(model, "volumes3d", takes, 8)


def recipe(request):
    return SequenceRecipe((Gain((0.8, 1.2), reason="scanners differ"),), views=request.views)


def ssl_domains_encoders():
    return [EncoderEntry("volumes3d", "3-D convolutions", f"{__name__}:build")]


def ssl_domains_domains():
    return [
        Domain("volumes", "volumes", reader=Reader, preprocess=lambda table: Volume(), recipe=recipe,
               default_encoder="volumes3d", group="body")
    ]
"""


@pytest.mark.parametrize("layout", ["true", "false"])
def test_volumes_are_trained_and_embedded(cli: Callable[..., Any], tmp_path: Path, layout: str) -> None:
    file = tmp_path / f"volumes_{layout}.py"
    file.write_text(PLUGIN.replace("volume of a test", f"volume of test {layout}"))
    rng = np.random.default_rng(0)
    (tmp_path / "data").mkdir()
    for number in range(12):
        np.save(tmp_path / "data" / f"{number // 3}{number % 3}.npy", rng.normal(0, 1, (4, 5, 6)))
    samples, run, embedded = tmp_path / "samples.parquet", tmp_path / "run", tmp_path / "embedded.parquet"

    def call(*words: object) -> None:
        done = cli("--plugin-file", file, "volumes", *words)
        assert done.code == 0, done.err

    call("scan", tmp_path / "data", "-o", samples)
    small = ("--set", "train.max_steps=2", "--set", "train.batch_size=6", "--set", "train.device=cpu")
    call("pretrain", samples, "--rule", "same('body')", "--out", run, *small, "--set", f"train.channels_last={layout}")
    call("embed", run, samples, "-o", embedded)

    newest = sorted((run / "checkpoints").glob("*.pt"))[-1]
    state = torch.load(newest, weights_only=True)
    weights = {
        name.split("encoder.model.")[-1]: one.double() for name, one in _tensors(state) if "encoder.model" in name
    }
    frame = pl.read_parquet(embedded)
    for row in frame.rows(named=True):
        volume = torch.from_numpy(np.load(tmp_path / "data" / f"{row['sample']}.npy"))[None, None]
        hidden = torch.conv3d(volume, weights["0.weight"], weights["0.bias"], padding=1).relu()
        expected = torch.conv3d(hidden, weights["2.weight"], weights["2.bias"], padding=1).mean(dim=(2, 3, 4))[0]
        np.testing.assert_allclose(row["embedding"], expected.numpy(), rtol=1e-4, atol=1e-5)


def _tensors(state: Any) -> list[tuple[str, torch.Tensor]]:
    """All tensors of a checkpoint with their joined names."""
    if isinstance(state, torch.Tensor):
        return [("", state)]
    if not isinstance(state, dict):
        return []
    return [
        (".".join(filter(None, (str(key), name))), one) for key, value in state.items() for name, one in _tensors(value)
    ]
