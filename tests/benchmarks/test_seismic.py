"""The benchmark of SEG-Y volumes runs at a tiny size and its arms agree; no time is asserted."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("segyio", reason="the plugin's tests need it")
pytest.importorskip("ssl_domains_seismic", reason="the plugin isn't installed")

ROOT = str(Path(__file__).parents[2])
SHAPE = (40, 36, 70)


@pytest.fixture(autouse=True)
def _as_from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package lies beside the distribution, outside the wheel."""
    monkeypatch.syspath_prepend(ROOT)


def test_all_parts_but_training(tmp_path: Path) -> None:
    from benchmarks.seismic import Sizes, run

    sizes = Sizes(
        shape=SHAPE, side=16, rounds=2, calls=1, patches=2, large=(70, 66, 80), crops=3, trained=(), limit_mb=250
    )
    result = run(sizes)
    assert all(math.isfinite(row.value) for row in result.rows)
    text = result.write(tmp_path).read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert ROOT not in text
    shown = [row.what for row in result.rows]
    for name in ("IEEE", "IBM", "int16", "int8"):
        assert sum(what.startswith(f"{name}: ") and "cold" not in what for what in shown) >= 7
    assert shown[-1].startswith("anonymous memory above the imports")


@pytest.mark.slow
def test_share_of_waiting(tmp_path: Path) -> None:
    from benchmarks.seismic.files import CODES, write_survey
    from benchmarks.seismic.waiting import Training, waiting_rows

    survey = write_survey(tmp_path / "a.sgy", SHAPE, CODES["IBM"])
    training = Training(side=16, batch=8, steps=3, threads=1)
    rows = list(waiting_rows(tmp_path, "IBM", survey, training, 1))
    assert [row.unit for row in rows] == ["% of a step", "% of a step", "MB", "% of a step"]
    assert all(0 <= row.value <= 100 for row in rows if row.unit != "MB")
    assert rows[2].value < 1


def test_formats_hold_one_volume(tmp_path: Path) -> None:
    from benchmarks.seismic.files import CODES, inline_of, write_survey
    from ssl_domains_seismic.reading import Reading
    from ssl_domains_seismic.survey import open_survey

    expected = np.stack([inline_of(number, *SHAPE[1:]) for number in range(SHAPE[0])])
    for name, code in CODES.items():
        for how in ({}, {"shuffled": True}):
            volume = open_survey(write_survey(tmp_path / f"{name}.sgy", SHAPE, code, **how), Reading()).volume
            np.testing.assert_array_equal(volume.read((slice(None),) * 3)[0], expected)
    holes = open_survey(write_survey(tmp_path / "holes.sgy", SHAPE, 5, every=3), Reading()).volume
    assert int(holes.grid.live().sum()) == SHAPE[0] * SHAPE[1] - 14
    sparse = write_survey(tmp_path / "sparse.sgy", SHAPE, 5, sparse=True)
    assert sparse.stat().st_size == (tmp_path / "IEEE.sgy").stat().st_size
    assert open_survey(sparse, Reading()).volume.shape == SHAPE


def test_arms_that_differ_are_not_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.seismic import access

    decoded: Callable[[Any], Any] = access._decoded
    monkeypatch.setattr(access, "_decoded", lambda words: decoded(words) * np.float32(1.001))
    with pytest.raises(AssertionError, match="IBM, cube of a bare map: bare differs"):
        list(access.access_rows(tmp_path, SHAPE, 16, 1, 1))
