"""Inputs rebuilt from bug reports of other libraries: what an encoder gets of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ssl_domains.encoders import MaskedEncoder, create_encoder
from ssl_domains.encoders.conv1d import Conv1d
from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input
from ssl_domains_audio.domain import AUDIO
from ssl_domains_audio.inputs import MelPreprocess, SoundPreprocess, empty_filters, log_mel_of, resampled_length
from ssl_domains_audio.inputs.settings import SoundSettings
from ssl_domains_audio.reader import AudioReader
from ssl_domains_audio.views import Speed

pytestmark = pytest.mark.shared_data
Read = Callable[[str], tuple[dict[str, tuple[np.ndarray, dict[str, Any]]], dict[str, Any]]]


@pytest.fixture(scope="module")
def folder(shared_data: Path) -> Path:
    cases = shared_data.parent / "cases" / "audio"
    if not cases.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")
    return cases


@pytest.fixture(scope="module")
def read(folder: Path) -> Read:
    """Arrays and rows of a case by the stem of the file, and what is expected."""

    def call(case: str) -> tuple[dict[str, tuple[np.ndarray, dict[str, Any]]], dict[str, Any]]:
        reader = AudioReader()
        rows = reader.scan(folder / case).samples.frame.to_dicts()
        expected = json.loads((folder / case / "case.json").read_text())["expected"]
        return {Path(row["path"]).stem: (reader.load(row), row) for row in rows}, expected

    return call


def mel(rate: int = 8_000) -> MelPreprocess:
    return MelPreprocess(SoundPreprocess(rate), log_mel_of(rate, SoundSettings()))


def test_a07_silence_and_a_constant_are_finite_everywhere_and_silent_views_are_flagged(read: Read) -> None:
    clips, _ = read("A07")
    preprocess = mel()
    waves = Input.cat([preprocess.compact(*clips[name]) for name in ("silent", "dc")])
    assert not waves.values.any()
    assert torch.equal(preprocess.finish(waves).values, torch.zeros_like(preprocess.finish(waves).values))
    recipe = AUDIO.recipe(RecipeRequest(None, 0, 2, 1, (), preprocess.spec, preprocess))  # type: ignore[arg-type]
    for view in recipe.views_of(waves, seed=0, step=0, slots=torch.arange(2)):
        assert torch.isfinite(view.input.values).all()
        assert view.flags["silent"].tolist() == [True, True]


def test_a08_padding_is_the_floor_and_masked(read: Read) -> None:
    clips, expected = read("A08")
    preprocess = mel()
    encoder = create_encoder("small_conv", takes=preprocess.spec).eval()
    short, long = (preprocess.compact(*clips[name]) for name in ("short", "long"))
    batch = preprocess.finish(Input.cat([short, long]))
    alone = preprocess.finish(short)
    padding = batch.values[0][:, :, alone.space[1] :]
    assert torch.equal(padding, torch.full_like(padding, preprocess.spec.pad))
    with torch.no_grad():
        first = encoder(alone.values, alone.valid).pooled[0]
        for value in (0.0, 4.0, -9.0):
            filled = replace(batch, values=batch.values.masked_fill(~batch.with_valid(), value))
            assert float((encoder(filled.values, filled.valid).pooled[0] - first).abs().max()) <= expected["tol"]


def test_a09_a_waveform_has_one_vector_alone_in_a_batch_and_padded(read: Read) -> None:
    clips, expected = read("A09")
    preprocess = SoundPreprocess(8_000)
    encoder = create_encoder("conv1d", takes=preprocess.spec).eval()
    a, b = (preprocess(*clips[name]) for name in ("a", "b"))
    batch, padded = Input.cat([a, b]), a.padded([a.space[0] + 16_000])
    with torch.no_grad():
        alone = encoder(a.values, a.valid).pooled[0]
        for other in (batch, padded):
            found = encoder(other.values, other.valid).pooled[0]
            assert float((found - alone).abs().max()) <= expected["tol"]


def test_a09_a_norm_over_time_is_refused_for_inputs_of_any_length() -> None:
    model = Conv1d(1)
    name, layer = next((n, m) for n, m in model.named_modules() if isinstance(m, nn.BatchNorm1d))
    model.set_submodule(name, nn.GroupNorm(1, layer.num_features))
    with pytest.raises(UsageError, match="normalises over the places of a sample, padding included"):
        MaskedEncoder(model, "wav2vec-like", SoundPreprocess(8_000).spec)


def test_a12_empty_filters_are_counted_before_training(folder: Path) -> None:
    (file,) = (path for path in (folder / "A12").glob("*.json") if path.name != "case.json")
    expected = json.loads((folder / "A12" / "case.json").read_text())["expected"]
    for scale in ("htk", "slaney"):
        counts = [
            empty_filters(one["sr"], one["n_fft"], one["n_mels"], 0, one["sr"] / 2, scale)  # type: ignore[arg-type]
            for one in json.loads(file.read_text())
        ]
        assert counts == expected[f"empty_{scale}"]


def test_a13_resampling_and_views_give_the_rounded_product_of_seconds_and_rate(read: Read) -> None:
    clips, expected = read("A13")
    rate = expected["target"]
    preprocess = SoundPreprocess(rate)
    for name, (array, row) in clips.items():
        made = preprocess(array, row)
        exact = len(array) / int(name) * rate
        assert made.space[0] == resampled_length(len(array), int(name), rate) == int(exact + 0.5)
        step = Speed((1.1, 1.1), p=1.0, reason="a reason")
        factor = torch.tensor([round(1.1 * 2**20)])
        (faster,), _ = step.apply((made,), {"factor": factor}, {})
        assert faster.space[0] == int(made.space[0] / (float(factor) / 2**20) + 0.5)
