"""Scaling: every type, the three scopes, and what a run remembers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import lazy_reader as readers
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import FittedScaling, Scaling
from ssl_domains.views.scaling import ranges, valid_pixels

Stored = Callable[..., tuple[SampleTable, ArrayStore]]
RNG = np.random.default_rng(0)


def fixed(lo: float, hi: float) -> FittedScaling:
    return FittedScaling(Scaling(lo=lo, hi=hi), {"": (lo, hi)})


@pytest.mark.parametrize(
    "dtype", ["bool", "int8", "uint8", "int16", "uint16", "int32", "float16", "float32", "float64"]
)
def test_any_type_goes_through_a_window(dtype: str) -> None:
    array = np.array([0, 1, 100], dtype=dtype).reshape(1, 3, 1)
    scaled = fixed(0, 50).apply(array)
    assert scaled.dtype == np.float32
    expected = np.clip(array.astype(float) / 50, 0, 1)
    assert np.allclose(scaled, expected, atol=1e-3)


def test_a_ct_window_clips() -> None:
    hounsfield = np.array([-1024, -160, 40, 240, 3000], dtype=np.int16).reshape(1, 5, 1)
    assert fixed(-160, 240).apply(hounsfield).ravel().tolist() == pytest.approx([0, 0, 0.5, 1, 1])


def test_small_differences_on_a_large_offset_survive() -> None:
    array = (1e9 + np.arange(5.0)).reshape(1, 5, 1)
    assert fixed(1e9, 1e9 + 4).apply(array).ravel().tolist() == pytest.approx([0, 0.25, 0.5, 0.75, 1])


def test_eight_bits_with_the_whole_window_stay_eight_bits() -> None:
    array = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    assert fixed(0, 255).apply(array) is array
    assert fixed(0, 254).apply(array).dtype == np.float32
    assert fixed(0, 255).stays_uint8({np.dtype("uint8")})
    assert not fixed(0, 255).stays_uint8({np.dtype("uint8"), np.dtype("int16")})


def test_values_that_are_not_finite_become_zero_and_invalid() -> None:
    array = np.ones((2, 2, 3), dtype=np.float32)
    array[0, 0, 1], array[1, 1, 0], array[0, 1] = np.nan, np.inf, 2
    scaled = fixed(0, 2).apply(array)
    assert np.isfinite(scaled).all()
    assert (scaled[0, 0] == 0).all()
    valid = valid_pixels(array)
    assert valid is not None
    assert valid.tolist() == [[False, True], [True, False]]
    assert valid_pixels(np.ones((2, 2, 1))) is None
    assert valid_pixels(np.ones((2, 2, 1), dtype=np.uint8)) is None


def test_eight_bits_and_bool_have_the_range_of_their_type(stored: Stored) -> None:
    for dtype, window in (("uint8", (0, 255)), ("bool", (0, 1))):
        assert Scaling().fit(*stored([np.ones((2, 2), dtype=dtype)])).window() == window


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"])
def test_other_types_have_the_range_of_the_training_rows(stored: Stored, dtype: str) -> None:
    training = [np.array([[3, 40]], dtype), np.array([[5, 103]], dtype)]
    table, store = stored([*training, np.array([[1, 120]], dtype)], split=["train", "train", "test"])
    fitted = Scaling().fit(table, store)
    assert fitted.types == {dtype: (3, 103)}
    assert fitted.fitted_on == {dtype: (4, 4)}
    assert fitted.apply(np.array([3, 28, 103, 120], dtype).reshape(1, 4, 1)).ravel().tolist() == pytest.approx(
        [0, 0.25, 1, 1]
    )


def test_each_type_has_its_own_window(stored: Stored) -> None:
    arrays = [np.full((2, 2), 51, np.uint8), np.array([[0, 1000]], np.uint16), np.array([[-1.0, np.nan, 3.0]])]
    table, store = stored(arrays)
    fitted = Scaling().fit(table, store)
    assert fitted.types == {"uint8": (0, 255), "uint16": (0, 1000), "float64": (-1, 3)}
    assert fitted.fitted_on == {"uint16": (2, 2), "float64": (2, 3)}
    assert fitted.groups(table) == [None, None, None]
    samples = store.of(table)
    scaled = [fitted.apply(np.asarray(samples[row])).ravel().tolist() for row in range(3)]
    assert scaled == [[51] * 4, [0, 1], [0, 0, 1]]
    assert not fitted.stays_uint8(samples.dtypes())
    assert FittedScaling.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


def test_a_type_without_training_rows_is_fitted_on_all_its_rows(stored: Stored) -> None:
    table, store = stored([np.zeros((1, 2), np.uint8), np.array([[2, 9]], np.int32)], split=["train", "test"])
    assert Scaling().fit(table, store).types == {"uint8": (0, 255), "int32": (2, 9)}


def test_a_new_type_needs_a_window_of_its_own(stored: Stored) -> None:
    table, store = stored([np.array([[0, 10]], np.uint16), np.array([[-5, 5]], np.int16)])
    fitted = Scaling().fit(table.take([0]), store)
    with pytest.raises(DataError, match="int16"):
        fitted.apply(np.zeros((1, 1, 1), np.int16))
    wider = fitted.extend(table, store)
    assert wider.types == {"uint16": (0, 10), "int16": (-5, 5)}


def test_a_picture_of_one_value_has_a_window(stored: Stored) -> None:
    fitted = Scaling().fit(*stored([np.full((2, 2), 7, np.int32)]))
    assert fitted.window() == (7, 8)
    assert np.isfinite(fitted.apply(np.full((2, 2, 1), 7, np.int32))).all()


@pytest.mark.parametrize("value", [1e20, -1e20, 1e300, 2.0**53])
@pytest.mark.parametrize("scope", ["fixed", "volume"])
def test_a_large_single_value_has_a_window_too(stored: Stored, value: float, scope: str) -> None:
    picture = np.full((2, 2, 1), value, np.float64)
    table, store = stored([picture[..., 0]])
    fitted = Scaling(scope=scope, group="sample" if scope == "volume" else None).fit(table, store)  # type: ignore[arg-type]
    scaled = fitted.apply(picture, fitted.groups(table)[0])
    assert scaled.max() == 0.0
    assert np.isfinite(scaled).all()


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [
        (-3e38, 3e38, np.float32),
        (-1.7e308, 1.7e308, np.float64),
        (0.0, 1e-39, np.float32),
        (0.0, 1e-310, np.float64),
        (1e300, 1.5e300, np.float64),
    ],
)
def test_values_of_any_size_are_scaled_to_0_and_1(stored: Stored, low: float, high: float, dtype: type) -> None:
    picture = np.array([[[low], [high]]], dtype)
    fitted = Scaling().fit(*stored([picture[..., 0]]))
    scaled = fitted.apply(picture)
    assert np.isfinite(scaled).all()
    assert scaled.ravel().tolist() == ([0.0, 0.0] if high == 1e-310 else [0.0, 1.0])


def test_both_byte_orders_are_one_type(stored: Stored) -> None:
    fitted = Scaling().fit(*stored([np.array([[1, 9]], ">u2"), np.array([[0, 5]], "<u2")]))
    assert fitted.types == {"uint16": (0, 9)}


def test_a_record_of_one_window_for_all_types_is_still_read() -> None:
    scaling = {"scope": "fixed", "lo": None, "hi": None, "percentiles": [0.5, 99.5], "group": None}
    old = FittedScaling.from_dict({"scaling": scaling, "windows": {"": [0, 65535]}, "fitted_on": {}})
    assert old.apply(np.full((1, 1, 1), 65535, np.uint16)).item() == 1
    assert old.apply(np.full((1, 1, 1), 65535, np.int32)).item() == 1


def test_a_column_chooses_the_window_of_a_row(stored: Stored) -> None:
    arrays = [np.array([[0, 100]], np.int16), np.array([[-1000, 0]], np.int16), np.array([[2, 6]], np.int16)]
    table, store = stored(
        [*arrays, np.zeros((1, 2), np.uint8)],
        volume=["a", None, None, None],
        kind=["other", "ct", "picture", "picture"],
    )
    declared = Scaling(
        "volume", percentiles=(0, 100), group="volume", column="kind", windows={"ct": (-1000, 1000), "picture": None}
    )
    assert declared.columns == ("kind", "volume")
    fitted = declared.fit(table, store)
    groups = fitted.groups(table)
    assert groups == ["a", "kind=ct", None, None]
    samples = store.of(table)
    scaled = [fitted.apply(np.asarray(samples[row]), groups[row]).ravel().tolist() for row in range(4)]
    assert scaled == [[0, 1], [0, 0.5], [0, 1], [0, 0]]
    assert FittedScaling.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted
    with pytest.raises(DataError, match="depends on 'kind'"):
        declared.key({})
    with pytest.raises(DataError, match="1 row has no 'volume'"):
        declared.fit(table.with_columns(volume=[None, "x", None, None]), store)


def test_a_column_without_windows_is_refused() -> None:
    with pytest.raises(UsageError, match="column without windows"):
        Scaling(column="kind")
    with pytest.raises(UsageError, match="empty"):
        Scaling(column="kind", windows={"ct": (1.0, 1.0)})


def test_volume_takes_each_groups_own_percentiles(stored: Stored) -> None:
    low = [RNG.normal(100, 10, (20, 20)).astype(np.float32) for _ in range(3)]
    high = [RNG.normal(5000, 500, (10, 30)).astype(np.int16) for _ in range(2)]
    table, store = stored([low[0], high[0], low[1], high[1], low[2]], volume=["a", "b", "a", "b", "a"])
    fitted = Scaling("volume", percentiles=(1, 99), group="volume").fit(table, store)
    assert fitted.windows["a"] == pytest.approx(tuple(np.percentile(np.stack(low), [1, 99])))
    assert fitted.windows["b"] == pytest.approx(tuple(np.percentile(np.stack(high), [1, 99])))
    assert fitted.fitted_on == {"a": (1200, 1200), "b": (600, 600)}
    # One slice of a volume keeps its place in the volume's range: no slice is stretched to [0, 1] by itself.
    dark = np.full((4, 4, 1), np.percentile(low, 10), np.float32)
    assert 0.05 < fitted.apply(dark, "a").mean() < 0.5
    assert fitted.groups(table) == ["a", "b", "a", "b", "a"]


def test_an_unseen_volume_is_an_error_until_extended(stored: Stored) -> None:
    table, store = stored([np.full((4, 4), 10.0), np.arange(16.0).reshape(4, 4)], volume=["a", "b"])
    fitted = Scaling("volume", percentiles=(0, 100), group="volume").fit(table.take([0]), store)
    with pytest.raises(DataError) as raised:
        fitted.apply(np.ones((1, 1, 1)), "b")
    assert "extend" in raised.value.hint
    wider = fitted.extend(table, store)
    assert wider.windows == {"a": (10.0, 11.0), "b": (0.0, 15.0)}
    assert "b" not in fitted.windows, "extending makes another scaling"


def test_a_row_without_its_volume_is_refused(stored: Stored) -> None:
    table, store = stored([np.ones((2, 2)), np.ones((2, 2))], volume=["a", None])
    with pytest.raises(DataError, match="1 row has no 'volume'"):
        Scaling("volume", group="volume").fit(table, store)


def test_survey_is_symmetric_and_sees_training_rows_only(stored: Stored) -> None:
    training = RNG.normal(0, 1, (50, 50)).astype(np.float32)
    table, store = stored([training, 1000 * training], split=["train", "test"])
    fitted = Scaling("survey", percentiles=(0, 99)).fit(table, store)
    low, high = fitted.window()
    assert low == -high
    assert high == pytest.approx(np.percentile(np.abs(training), 99))
    scaled = fitted.apply(np.array([0.0, high, -high, 99 * high]).reshape(1, 4, 1))
    assert scaled.ravel().tolist() == pytest.approx([0.5, 1, 0, 1])
    with pytest.raises(DataError, match="training"):
        Scaling("survey").fit(table.take([1]), store)


def test_not_finite_values_have_no_part_in_a_percentile(stored: Stored) -> None:
    array = np.full((10, 10), np.nan, np.float32)
    array[0] = np.arange(10)
    table, store = stored([array], volume=["a"])
    assert Scaling("volume", percentiles=(0, 100), group="volume").fit(table, store).windows["a"] == (0, 9)


def test_a_large_group_is_looked_at_in_part_and_that_is_recorded(
    stored: Stored, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ranges, "VALUES", 1000)
    arrays: list[Any] = [RNG.normal(0, 1, (100, 100)) for _ in range(3)]
    table, store = stored(arrays, volume=["a"] * 3)
    fitted = Scaling("volume", percentiles=(10, 90), group="volume").fit(table, store)
    used, of = fitted.fitted_on["a"]
    assert used == pytest.approx(1000, abs=3)
    assert of == 30_000
    assert fitted.windows["a"] == pytest.approx((-1.28, 1.28), abs=0.15)


def test_a_fitted_scaling_can_be_written_down_and_read_back(stored: Stored) -> None:
    table, store = stored([np.ones((4, 4)), np.arange(16.0).reshape(4, 4)], volume=["a", "b"])
    for scaling in (Scaling("volume", group="volume"), Scaling("survey"), Scaling(lo=-1, hi=2)):
        fitted = scaling.fit(table, store)
        assert FittedScaling.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted


@pytest.mark.parametrize(
    "make",
    [
        lambda: Scaling("image"),  # type: ignore[arg-type]
        lambda: Scaling("volume"),
        lambda: Scaling(lo=1, hi=1),
        lambda: Scaling(lo=1),
        lambda: Scaling(percentiles=(90, 10)),
    ],
)
def test_scalings_that_make_no_sense_are_refused(make: Callable[[], Scaling]) -> None:
    with pytest.raises(UsageError):
        make()


def test_a_misspelt_group_column(stored: Stored) -> None:
    table, store = stored([np.ones((2, 2))], volume=["a"])
    with pytest.raises(UsageError, match="volumne"):
        Scaling("volume", group="volumne").fit(table, store)


def test_holes_have_no_part_in_a_clip(tmp_path: Path) -> None:
    """The first column of these arrays is marked as missing; its zeros must not lower a percentile."""
    paths = []
    for number in range(3):
        picture = np.full((4, 2), 10 + number, np.int16)
        picture[:, -1] = 0  # the reader turns the picture: this becomes the first column
        paths.append(str(tmp_path / f"{number}.npy"))
        np.save(paths[-1], picture)
    table = SampleTable.of(pl.DataFrame({"path": paths, "gain": [1, 1, 1]}))
    store = ArrayStore.fill(tmp_path / "store", table, readers.TurnedReader())
    values, of = ranges.sampled_values(store.of(table), np.arange(3))
    assert (sorted(values.tolist()), of) == ([10] * 4 + [11] * 4 + [12] * 4, 24)
    assert Scaling("survey", percentiles=(0, 50)).fit(table, store).window() == (-11, 11)


def test_each_survey_has_its_own_symmetric_clip_of_training_rows(stored: Stored) -> None:
    """Amplitudes of two units in one table; the third survey has no training row, the fourth no row at all."""
    values = RNG.normal(0, 1, (50, 50)).astype(np.float32)
    arrays = [values, 50 * values, 1000 * values, 20 * values, 3 * values]
    survey, split = ["a", "a", "b", "c", "d"], ["train", "test", "train", "test", "train"]
    table, store = stored(arrays, survey=survey, split=split)
    clip = float(np.percentile(np.abs(values), 99))
    fitted = Scaling("survey", percentiles=(0, 99), group="survey").fit(table.take([0, 1, 2, 3]), store)
    assert fitted.scaling.columns == ("survey",)
    assert fitted.windows == {
        name: pytest.approx((-clip * by, clip * by)) for name, by in {"a": 1, "b": 1000, "c": 20}.items()
    }
    assert fitted.fitted_on["a"] == (2500, 2500)
    scaled = fitted.apply(np.array([0.0, 1000 * clip, -1000 * clip]).reshape(1, 3, 1), "b")
    assert scaled.ravel().tolist() == pytest.approx([0.5, 1, 0])
    with pytest.raises(DataError, match="no window was fitted for this survey"):
        fitted.window("d")
    wider = fitted.extend(table, store)
    assert wider.windows == {**fitted.windows, "d": pytest.approx((-clip * 3, clip * 3))}
    assert FittedScaling.from_dict(json.loads(json.dumps(wider.to_dict()))) == wider
    with pytest.raises(DataError, match="training"):
        Scaling("survey", group="survey").fit(table.take([3]), store)


def test_a_survey_of_zeros_keeps_zero_in_the_middle(stored: Stored) -> None:
    table, store = stored([np.zeros((2, 2), np.float32)], survey=["a"])
    assert Scaling("survey", group="survey").fit(table, store).windows == {"a": (-1, 1)}
