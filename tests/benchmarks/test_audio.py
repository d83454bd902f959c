"""The benchmark of recordings runs at a tiny size and its arms agree; no time is asserted."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("librosa", reason="the benchmark compares with it")
pytest.importorskip("ssl_domains_audio", reason="the plugin isn't installed")

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def _as_from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package lies beside the distribution, outside the wheel."""
    monkeypatch.syspath_prepend(ROOT)


def test_all_parts_but_waiting(tmp_path: Path) -> None:
    from benchmarks.audio import Sizes, run
    from benchmarks.audio.log_mel import Batch
    from benchmarks.audio.step import Clips

    clips = Clips(count=24, samples=3800, batch=8)
    sizes = Sizes(
        batches=(Batch(3, 1600, 8000),), rounds=2, calls=1, clips=clips, pairs=2, files=12, scans=2, long_s=70,
        long_rate=8000, read=4, waiting=None, threads=1,
    )  # fmt: skip
    result = run(sizes)
    assert all(math.isfinite(row.value) and row.value >= 0 for row in result.rows)
    text = result.write(tmp_path).read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert ROOT not in text
    targets = [row.target for row in result.rows if row.target]
    assert targets == ["≥ 2.5", "≥ 0.7", "≤ 1.05", "≥ 8000", "≥ 4000", "≤ 0", "≤ 300", "≤ 300"]
    (imports,) = (row for row in result.rows if row.unit == "modules")
    assert imports.met


@pytest.mark.slow
def test_share_of_waiting(tmp_path: Path) -> None:
    from benchmarks.audio.step import Clips
    from benchmarks.audio.waiting import waiting_rows

    rows = list(waiting_rows(tmp_path, Clips(count=24, samples=3800, batch=8), 1, 1))
    assert [row.unit for row in rows] == 3 * ["% of a step"]
    assert all(0 <= row.value <= 100 and row.target == "" for row in rows)


def test_spectrograms_that_differ_are_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.audio import log_mel

    power: Callable[..., Any] = log_mel._power
    monkeypatch.setattr(log_mel, "_power", lambda *given: power(*given) * 1.01)
    with pytest.raises(AssertionError, match=r"librosa differs: 2 clips of 0\.2 s at 8 kHz"):
        list(log_mel.log_mel_rows(log_mel.Batch(2, 1600, 8000), 1, 1))


def test_made_up_clips_differ_and_are_those_of_the_files(tmp_path: Path) -> None:
    import soundfile

    from benchmarks.audio.files import clip, write_clips, write_long

    (first, second) = (path for path in sorted(write_clips(tmp_path, 2, 800, 8000, "flac").rglob("*.flac")))
    read = [soundfile.read(path)[0] for path in (first, second)]
    assert np.abs(read[0] - clip(0, 800, 8000)).max() <= 2.0**-15
    assert np.abs(read[0] - read[1]).max() > 0.01
    assert soundfile.info(write_long(tmp_path / "long.wav", 61, 8000)).frames == 61 * 8000
