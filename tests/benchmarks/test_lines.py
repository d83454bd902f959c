"""The benchmark of text lines runs at a tiny size and its arms agree; no time is asserted."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

pytest.importorskip("ssl_domains_text", reason="the plugin isn't installed")

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def _as_from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package lies beside the distribution, outside the wheel."""
    monkeypatch.syspath_prepend(ROOT)


def test_all_parts_but_waiting(tmp_path: Path) -> None:
    from benchmarks.lines import Sizes, run
    from benchmarks.lines.step import Strips

    result = run(Sizes(strips=Strips(48, 16), pairs=2, lines=200, scans=2, waiting=None, threads=1))
    # Of so few lines the start of the process takes all the time, so that a difference may have either sign.
    kept = [row for row in result.rows if row.what != "further lines scanned"]
    assert all(math.isfinite(row.value) and row.value > 0 for row in kept)
    text = result.write(tmp_path).read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert ROOT not in text
    assert [row.target for row in result.rows if row.target] == ["≤ 1.05"]
    assert {row.unit for row in result.rows} == {"CPU-s", "lines/CPU-s", "×", "MB"}


@pytest.mark.slow
def test_share_of_waiting(tmp_path: Path) -> None:
    from benchmarks.lines.step import Strips
    from benchmarks.lines.waiting import waiting_rows

    rows = list(waiting_rows(tmp_path, Strips(32, 16), 1, 1))
    assert [row.unit for row in rows] == 3 * ["% of a step"]
    assert all(0 <= row.value <= 100 and row.target == "" for row in rows)


def test_losses_that_differ_are_not_timed() -> None:
    from benchmarks.lines.step import assert_agreeing

    assert_agreeing(iter([1.0, 2.0, 3.0]), iter([1.0, 2.0 + 1e-7, 3.0]))
    with pytest.raises(AssertionError, match="losses differ"):
        assert_agreeing(iter([1.0, 2.0, 3.0]), iter([1.0, 2.001, 3.0]))


def test_a_line_that_the_scan_does_not_find_is_no_measurement(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks.lines import scanning

    write = scanning.write_noise
    monkeypatch.setattr(scanning, "write_noise", lambda folder, lines: write(folder, lines)[::-1])
    with pytest.raises(AssertionError, match="a transcript differs"):
        list(scanning.scan_rows(tmp_path, 60, 1))
