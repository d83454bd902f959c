"""Signals become inputs: level, length, validity, and what doesn't fit is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import (
    InputDataset,
    Preprocess,
    SignalPreprocess,
    fitted_preprocess,
    preprocess_from_dict,
    preprocess_to_dict,
)

RNG = np.random.default_rng(0)


def reference(signal: np.ndarray) -> np.ndarray:
    """Standardised in float64: each channel without its mean, all divided by one deviation; ``[c, t]``."""
    columns = [[float(value) for value in column] for column in signal.T]
    known = [all(np.isfinite(column[k]) for column in columns) for k in range(len(columns[0]))]
    centred = []
    for column in columns:
        values = [value for value, ok in zip(column, known, strict=True) if ok]
        mean = sum(values) / len(values)
        centred.append([value - mean if ok else 0.0 for value, ok in zip(column, known, strict=True)])
    squares = [value**2 for column in centred for value in column]
    deviation = (sum(squares) / (sum(known) * len(centred))) ** 0.5
    return np.array(centred) / (deviation or 1.0)


def test_a_recording_keeps_the_relative_amplitudes_of_its_channels() -> None:
    signal = RNG.normal((3.0, -5.0), (1.0, 4.0), (50, 2))
    preprocess = SignalPreprocess(channels=2)
    assert isinstance(preprocess, Preprocess)
    assert preprocess.spec == InputSpec("wave", 2, (None,))
    made = preprocess(signal)
    assert made.valid is None
    assert made.ragged == (0,)
    assert made.values.dtype == torch.float32
    np.testing.assert_allclose(made.values[0].numpy(), reference(signal), rtol=1e-5, atol=1e-6)
    assert 3 < float(made.values[0, 1].std() / made.values[0, 0].std()) < 5
    np.testing.assert_allclose(
        preprocess(signal.astype(np.int16)).values[0], reference(signal.astype(np.int16)), rtol=1e-5, atol=1e-6
    )


def test_values_whose_squares_overflow_keep_their_form() -> None:
    signal = RNG.normal(0.0, 1.0, (50, 2))
    preprocess = SignalPreprocess(channels=2)
    large = preprocess(signal * 1e300)
    np.testing.assert_allclose(large.values[0].numpy(), reference(signal), rtol=1e-5, atol=1e-6)


def test_places_without_a_number_are_not_valid_and_change_nothing_else() -> None:
    signal = RNG.normal(0, 2, (40, 2))
    signal[5, 0], signal[17, 1] = np.nan, np.inf
    made = SignalPreprocess(channels=2)(signal)
    assert made.valid is not None
    assert (~made.valid[0, 0]).nonzero()[:, 0].tolist() == [5, 17]
    np.testing.assert_allclose(made.values[0].numpy(), reference(signal), rtol=1e-5, atol=1e-6)
    assert (made.values[0, :, [5, 17]] == 0).all()


def test_places_without_data_are_as_places_without_a_number() -> None:
    signal = np.random.default_rng(0).normal(size=(9, 2))
    holes = np.ones((9, 2), dtype=bool)
    holes[3, 1] = holes[7] = False
    for length in (None, 6, 12):
        preprocess = SignalPreprocess(channels=2, length=length)
        made = preprocess(signal, valid=holes)
        same = preprocess(np.where(holes.all(axis=1, keepdims=True), signal, np.nan))
        assert torch.equal(made.values, same.values)
        assert torch.equal(made.with_valid(), same.with_valid())
        assert made.space == preprocess.sides(signal.shape)


def test_a_fixed_level_divides_and_a_flat_recording_stays_finite() -> None:
    speech = RNG.integers(-32768, 32768, 30).astype(np.int16)
    made = SignalPreprocess(level="fixed", scale=32768)(speech)
    np.testing.assert_allclose(made.values[0, 0].numpy(), speech / 32768.0, rtol=1e-6)
    assert (SignalPreprocess()(np.full(9, 4.0)).values == 0).all()
    nothing = SignalPreprocess()(np.full(9, np.nan))
    assert (nothing.values == 0).all()
    assert nothing.valid is not None
    assert not nothing.valid.any()


@pytest.mark.parametrize("length", [1, 7, 10, 11, 25])
def test_a_length_cuts_the_middle_or_reflects_and_marks_it(length: int) -> None:
    signal = np.arange(10.0)
    preprocess = SignalPreprocess(length=length, level="fixed")
    assert preprocess.spec.space == (length,)
    made = preprocess(signal)
    values = made.values[0, 0].numpy()
    if length <= 10:
        start = (10 - length) // 2
        assert values.tolist() == signal[start : start + length].tolist()
        assert made.valid is None
    else:
        there_and_back = np.concatenate([signal, signal[::-1], signal])
        assert values.tolist() == there_and_back[:length].tolist()
        assert made.valid is not None
        assert made.valid[0, 0].tolist() == [k < 10 for k in range(length)]


def test_it_is_written_and_read_back() -> None:
    for preprocess in (SignalPreprocess(12), SignalPreprocess(1, 400, "fixed", 32768.0, "speech")):
        written = json.loads(json.dumps(preprocess_to_dict(preprocess)))
        assert written["name"] == "signal"
        assert preprocess_from_dict(written) == preprocess


@pytest.mark.parametrize(
    "settings", [{"channels": 0}, {"length": 0}, {"level": "sample"}, {"scale": 0.0}, {"scale": float("nan")}]
)
def test_wrong_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        SignalPreprocess(**settings)


def test_arrays_of_another_form_are_refused(tmp_path: Path) -> None:
    for array in (np.zeros((5, 3)), np.zeros((5, 2, 2)), np.zeros((0, 2)), np.zeros(5)):
        with pytest.raises(DataError, match="2 channels"):
            SignalPreprocess(channels=2)(array)
    table, store = _stored(tmp_path / "tc", "tc", [np.zeros((4 + k, 3)) for k in range(3)])
    SignalPreprocess(channels=3).require(table, store)
    with pytest.raises(DataError, match="signals of 3 channels, the encoder takes 2"):
        InputDataset(table, store, SignalPreprocess(channels=2))
    table, store = _stored(tmp_path / "zyx", "zyx", [np.zeros((2, 3, 4))])
    with pytest.raises(DataError, match="3 sides"):
        InputDataset(table, store, SignalPreprocess())


def test_a_dataset_pads_to_the_longest_and_caches_a_fixed_length(tmp_path: Path) -> None:
    arrays = [RNG.normal(size=(n, 2)) for n in (9, 30, 17)]
    table, store = _stored(tmp_path, "tc", arrays)
    ragged = InputDataset(table, store, SignalPreprocess(channels=2))
    assert ragged.cached
    batch = ragged.__getitems__([0, 1, 2])["input"]
    assert batch.lengths.tolist() == [9, 30, 17]
    for row, array in enumerate(arrays):
        np.testing.assert_allclose(batch.values[row, :, : len(array)].numpy(), reference(array), rtol=1e-5, atol=1e-6)
    fixed, uncached = (
        InputDataset(table, store, SignalPreprocess(channels=2, length=20), cache_gb=size) for size in (1.0, 0.0)
    )
    assert fixed.cached
    for index in ([0, 1], [1], [1], [2, 0, 1]):
        one, two = fixed.__getitems__(index)["input"], uncached.__getitems__(index)["input"]
        assert torch.equal(one.values, two.values)
        assert torch.equal(one.with_valid(), two.with_valid())
        assert (one.valid is None) == (two.valid is None) == (index == [1])


def test_ragged_signals_are_cached_as_their_sides_are_known_beforehand(tmp_path: Path) -> None:
    arrays = [np.random.default_rng(k).normal(size=(k, 2)) for k in (3, 7, 5)]
    table, store = _stored(tmp_path, "tc", arrays)
    cached, plain = (InputDataset(table, store, SignalPreprocess(channels=2), cache_gb=gb) for gb in (1.0, 0.0))
    assert cached.cached
    assert not plain.cached
    for index in ([0, 1], [1, 2, 0], [2]):
        one, two = cached.__getitems__(index)["input"], plain.__getitems__(index)["input"]
        assert torch.equal(one.values, two.values)
        assert torch.equal(one.with_valid(), two.with_valid())


def test_a_declaration_is_fitted_and_a_preprocess_is_taken_as_it_is(tmp_path: Path) -> None:
    import tone_domain as tones

    arrays = [np.full((5, 2), float(k)) for k in (1, 2, 3, 9)]
    table, store = _stored(tmp_path, "tc", arrays, split=["train", "train", "train", "test"])
    ready = SignalPreprocess(channels=2)
    assert fitted_preprocess(ready, table, store) is ready
    made = fitted_preprocess(tones.fitted(table), table, store)
    assert made == SignalPreprocess(channels=2, level="fixed", scale=3.0)


def _stored(folder: Path, axes: str, arrays: list[np.ndarray], **columns: Any) -> tuple[SampleTable, ArrayStore]:
    folder.mkdir(exist_ok=True)
    for number, array in enumerate(arrays):
        np.save(folder / f"{number}.npy", array)
    paths = [str(folder / f"{number}.npy") for number in range(len(arrays))]
    table = SampleTable.of(pl.DataFrame({"path": paths, **columns}))
    return table, ArrayStore.fill(folder / "store", table, _Reader(axes))


class _Reader:
    version = "1"

    def __init__(self, axes: str) -> None:
        self.axes = axes

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("not part of these tests")

    def load(self, row: Any) -> np.ndarray:
        load: Callable[..., np.ndarray] = np.load
        return load(row["path"])
