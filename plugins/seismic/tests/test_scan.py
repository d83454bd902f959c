"""A scan: which samples a survey gives, with their places, and what is left out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import ScanResult, ScanSession, read_table, scan_session, write_portable
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.segy import index_file

from .conftest import grid_words, smooth

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]


@pytest.fixture
def mapped(make: Make) -> Path:
    """6 inlines (100, 102, …) × 8 crosslines (300, 304, …) × 40 samples from 1,000 ms by 4, on the map 50 m × 25 m."""
    words = [
        {**w, 109: 1000, 181: 600_000 + 50 * (k // 8), 185: 25 * (k % 8)}
        for k, w in enumerate(grid_words(range(100, 112, 2), range(300, 332, 4)))
    ]
    return make(smooth(6, 8, 40), words)


def test_whole_sections(mapped: Path, scan: Scan) -> None:
    frame = scan(along="inline,crossline,depth").samples.frame
    assert dict(frame.group_by("along").len().iter_rows()) == {"inline": 6, "crossline": 8, "depth": 40}
    inline, crossline, depth = (frame.filter(pl.col("along") == name).row(2, named=True) for name in _axes())
    assert inline["region"] == [2, 3, 0, 8, 0, 40]
    assert (inline["inline"], inline["crossline"], inline["ms"]) == (104, 314, 1078)
    assert (inline["inline_bin"], inline["crossline_bin"], inline["sample_bin"], inline["section"]) == (2, 3.5, 19.5, 2)
    assert (inline["inline_m"], inline["crossline_m"]) == pytest.approx((100, 87.5))
    assert (inline["x_m"], inline["y_m"]) == pytest.approx((600_100, 87.5))
    assert crossline["region"] == [0, 6, 2, 3, 0, 40]
    assert (crossline["crossline"], crossline["section"]) == (308, 2)
    assert depth["region"] == [0, 6, 0, 8, 2, 3]
    assert (depth["ms"], depth["section"]) == (1008, 2)


def _axes() -> tuple[str, ...]:
    return "inline", "crossline", "depth"


@pytest.mark.parametrize("along", ["inline", "crossline", "depth"])
def test_samples_are_the_parts_that_their_places_say(mapped: Path, scan: Scan, tmp_path: Path, along: str) -> None:
    """The number of a voxel is its place, so a sample shows which voxels it holds."""
    numbers = np.arange(6 * 8 * 40, dtype=np.float32).reshape(6, 8, 40)
    data = bytearray(mapped.read_bytes())
    for trace in range(48):
        start = 3600 + 400 * trace + 240
        data[start : start + 160] = numbers.reshape(48, 40)[trace].astype(">f4").tobytes()
    mapped.write_bytes(data)
    table = scan(along=along, patch="4x3", stride="2").samples
    samples = ArrayStore.fill(tmp_path / "store", table, SeismicReader()).of(table)
    assert samples.decoded.all()
    for row, given in enumerate(table.frame.iter_rows(named=True)):
        array = np.asarray(samples[row])[..., 0]
        i, x, s = np.unravel_index(array.astype(np.int64), numbers.shape)
        for place, column, first, step in ((i, "inline", 100, 2), (x, "crossline", 300, 4), (s, "ms", 1000, 4)):
            assert first + step * (place.min() + place.max()) / 2 == given[column]
        np.testing.assert_array_equal(
            array, numbers[i.min() : i.max() + 1, x.min() : x.max() + 1, s.min() : s.max() + 1]
        )


def test_patches_lie_side_by_side_or_at_the_stride(mapped: Path, scan: Scan) -> None:
    frame = scan(along="inline", patch="16x4", every=2).samples.frame
    assert sorted({tuple(region) for region in frame["region"].to_list()}) == [
        (i, i + 1, x, x + 4, s, s + 16) for i in (0, 2, 4) for x in (0, 4) for s in (0, 16)
    ]
    assert len(scan(along="inline", patch="16x4", stride="8x2").samples) == 6 * 3 * 4
    assert scan(along="depth", patch="64").samples.frame["region"][0].to_list() == [0, 6, 0, 8, 0, 1]


def test_one_more_patch_covers_the_rest_at_the_end(mapped: Path, scan: Scan) -> None:
    """8 crosslines and 40 samples: patches of 16 × 3 begin at 0, 16, and at 24; at 0, 3, and at 5."""
    frame = scan(along="inline", patch="16x3", every=6, edges=True).samples.frame
    assert sorted({(region[2], region[4]) for region in frame["region"].to_list()}) == [
        (x, s) for x in (0, 3, 5) for s in (0, 16, 24)
    ]
    whole = scan(along="inline", patch="20x4", edges=True).samples.frame
    assert whole.equals(scan(along="inline", patch="20x4").samples.frame)


def test_neighbouring_sections_as_channels(mapped: Path, scan: Scan) -> None:
    frame = scan(along="crossline", channels=3).samples.frame
    assert frame["region"].to_list()[0] == [0, 6, 0, 3, 0, 40]
    assert frame["crossline"].to_list() == [304, 308, 312, 316, 320, 324]


def test_a_part_of_the_survey(mapped: Path, scan: Scan) -> None:
    frame = scan(il="102:107", xl=":308", ms="1020:1050").samples.frame
    assert frame["region"].to_list() == [[1, 2, 0, 3, 5, 13], [2, 3, 0, 3, 5, 13], [3, 4, 0, 3, 5, 13]]
    assert frame["inline"].to_list() == [102, 104, 106]


@pytest.mark.parametrize(
    ("option", "said"), [({"il": "900:"}, "no inline of 900:"), ({"ms": ":10"}, "no sample within --ms")]
)
def test_a_part_that_the_file_does_not_have(mapped: Path, scan: Scan, option: dict[str, str], said: str) -> None:
    result = scan(**option)
    assert len(result.samples) == 0
    assert result.problems["cause"][0].startswith(said)


@pytest.mark.parametrize(
    "option",
    [
        {"along": "sideways"}, {"blocks": "0x2"}, {"patch": "0"}, {"patch": "axb"}, {"stride": "8"}, {"every": 0},
        {"channels": 2}, {"il": "5"}, {"il": "9:3"}, {"ms": ":"}, {"live": 1.5}, {"lines": "189"}, {"lines": "189,189"},
        {"lines": "29,189"}, {"samples_as": "vax"}, {"coordinates": "utm"}, {"vertical": "up"}, {"inline": "3"},
    ],
)  # fmt: skip
def test_an_option_that_can_not_be_read(mapped: Path, scan: Scan, option: dict[str, Any]) -> None:
    with pytest.raises(UsageError) as caught:
        scan(**option)
    assert caught.value.hint


def test_holes_make_a_live_share_and_empty_samples_are_left_out(make: Make, scan: Scan) -> None:
    words, cube = grid_words(range(8), range(8)), smooth(8, 8, 8)
    kept = [k for k in range(64) if not (k // 8 >= 4 and k % 8 >= 3)]
    make(cube.reshape(64, 8)[kept], [words[k] for k in kept])
    result = scan(along="depth", patch="4", every=8)
    assert result.samples.frame.select("region", "live").rows() == [
        ([0, 4, 0, 4, 0, 1], 1.0),
        ([0, 4, 4, 8, 0, 1], 1.0),
        ([4, 8, 0, 4, 0, 1], 0.75),
    ]
    assert any("1 samples are left out: less than 50 % of their traces have data" in note for note in result.notes)
    assert len(scan(along="depth", patch="4", every=8, live=0.8).samples) == 2


def test_blocks_are_equal_parts_and_samples_across_a_border_are_in_none(mapped: Path, scan: Scan) -> None:
    frame = scan(along="depth", patch="2x3", stride="1", every=40, blocks="2x2").samples.frame
    found = {tuple(region[:4]): block for region, block in frame.select("region", "block").iter_rows()}
    assert found[0, 2, 0, 3] == found[1, 3, 1, 4] == "a.sgy:1-1"
    assert found[0, 2, 4, 7] == "a.sgy:1-2"
    assert found[3, 5, 0, 3] == found[4, 6, 1, 4] == "a.sgy:2-1"
    assert found[4, 6, 5, 8] == "a.sgy:2-2"
    across = {region for region, block in found.items() if block is None}
    assert across == {r for r in found if (r[0] < 3 < r[1]) or (r[2] < 4 < r[3])}
    assert set(scan(along="inline").samples.frame["block"]) == {"a.sgy:1-1"}


def test_samples_that_are_larger_than_every_block_are_an_error(mapped: Path, scan: Scan) -> None:
    with pytest.raises(UsageError, match="no sample lies inside one block of --blocks 2x2") as caught:
        scan(along="depth", blocks="2x2")
    sizes = "the smallest sample has 6 × 8 inlines × crosslines, the largest block 3 × 4"
    assert sizes in str(caught.value)
    assert "--patch" in str(caught.value.hint)
    with pytest.raises(UsageError, match="smallest sample has 1 × 8 inlines × crosslines, the largest block 6 × 3"):
        scan(along="inline", blocks="1x3")


def test_a_survey_that_is_too_small_for_its_blocks_is_named(mapped: Path, make: Make, scan: Scan) -> None:
    make(smooth(12, 20, 8), grid_words(range(12), range(20)), name="large.sgy")
    result = scan(along="depth", patch="4", every=40, blocks="2x3")
    said = "no sample lies inside one block of --blocks 2x3: the smallest sample has 4 × 4 inlines × crosslines, "
    (note,) = [note for note in result.notes if "block" in note]
    assert note == f"a.sgy: {said}the largest block 3 × 3; its samples are in no block"
    of = dict(result.samples.frame.group_by("survey").agg(pl.col("block").count()).iter_rows())
    assert of == {"a.sgy": 0, "large.sgy": 6}


def test_a_truncated_file_is_sampled_and_is_a_problem(make: Make, scan: Scan) -> None:
    cube = smooth(6, 8, 40)
    path = make(cube)
    path.write_bytes(path.read_bytes()[:-500])
    result = scan()
    assert result.problems.rows() == [
        (
            str(path),
            "truncated: 46 whole traces of at least 47; 300 of the 400 bytes of the next are there and left out",
        )
    ]
    assert result.samples.frame["live"].to_list() == [1.0] * 5 + [0.75]
    read = SeismicReader().load(result.samples.frame.row(0, named=True))
    np.testing.assert_array_equal(read.reshape(48, 40)[:46], cube.reshape(48, 40)[:46])
    assert not any("truncated" in note for note in result.notes)


def test_a_2d_line_has_sections_along_its_traces(make: Make, scan: Scan) -> None:
    make(smooth(1, 30, 40), [{} for _ in range(30)])
    frame = scan(patch="20x10").samples.frame
    assert frame["crossline"].to_list() == [5.5, 5.5, 15.5, 15.5, 25.5, 25.5]
    assert scan(along="crossline").problems["cause"][0].startswith("a 2-D line has sections along inline only")


def test_npy_volumes_of_the_f3_layout(tmp_path: Path, scan: Scan) -> None:
    cube = smooth(5, 6, 12)
    for name in (
        "train/train_seismic",
        "train/train_labels",
        "test_once/test1_seismic",
        "volume",
        "volume_labels",
        "my_labels",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        np.save(tmp_path / f"{name}.npy", cube)
    np.save(tmp_path / "flat.npy", cube[0])
    result = scan(along="inline")
    assert set(result.samples.frame["array"]) == {
        "train/train_seismic.npy", "test_once/test1_seismic.npy", "volume.npy", "my_labels.npy",
    }  # fmt: skip
    assert "passed over as no SEG-Y file or .npy volume: 2 label volumes (.npy; --labels FILE uses one)" in result.notes
    assert result.problems["cause"].to_list() == [
        "the .npy file holds 6 × 12, not a volume of inline × crossline × depth"
    ]
    assert "ms" not in result.samples.columns
    table = result.samples
    np.testing.assert_array_equal(SeismicReader().load(table.frame.row(0, named=True)), cube[..., None])
    assert scan(ms="0:10").problems["cause"].str.contains("no header of the file says the sample interval").sum() == 4


def test_a_bad_file_is_a_problem_and_the_good_one_is_read(make: Make, scan: Scan, tmp_path: Path) -> None:
    make(smooth(6, 8, 40))
    make(smooth(6, 8, 40), name="ieee.sgy", header_code=1)
    make(smooth(6, 8, 40), name="late.sgy", words=[{**w, 109: k} for k, w in enumerate(grid_words(range(6), range(8)))])
    (tmp_path / "empty.segy").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("of the survey")
    result = scan()
    assert set(result.samples.frame["survey"]) == {"a.sgy"}
    causes = dict(result.problems.iter_rows())
    assert causes[str(tmp_path / "empty.segy")].startswith("this is no SEG-Y file: it has 0 bytes")
    assert "fit IEEE better" in causes[str(tmp_path / "ieee.sgy")]
    assert "start time differs" in causes[str(tmp_path / "late.sgy")]
    assert "passed over as no SEG-Y file or .npy volume: 1 .txt" in result.notes
    assert any(note.startswith("a.sgy: 6 × 8 lines from words 189,193 (fill 100.0%") for note in result.notes)


def test_decisions_of_the_user_are_kept_in_the_table(make: Make, scan: Scan) -> None:
    cube = smooth(6, 8, 40)
    words = [{**given, 9: given[193], 21: given[189]} for given in grid_words(range(6), range(8))]
    make(cube, words, header_code=1)
    assert len(scan(samples_as="ieee").samples) == 0
    frame = scan(lines="9,21", samples_as="ieee").samples.frame
    row = frame.row(0, named=True)
    assert (row["lines"], row["samples_as"]) == ("9,21", "ieee")
    np.testing.assert_array_equal(SeismicReader().load(row), cube.transpose(1, 0, 2)[..., None])


def test_the_same_table_again(mapped: Path, scan: Scan) -> None:
    first = scan(along="depth,inline", patch="4")
    assert first.samples.frame.equals(scan(along="depth,inline", patch="4").samples.frame)
    assert first.samples.frame["sample"].n_unique() == len(first.samples)


def test_the_index_of_a_large_file_is_kept_beside_the_table(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_file, "KEPT_FROM", 1)
    cube = smooth(6, 8, 40)
    make(cube, name="data/a.sgy")
    out = tmp_path / "tables" / "samples.parquet"
    out.parent.mkdir()
    with scan_session(ScanSession(out.with_name(".scanning"), "request")):
        result = SeismicReader().scan(tmp_path / "data")
    write_portable(result.samples, out)
    (index,) = (out.parent / "segy-headers").glob("*.json")
    assert pl.read_parquet(out)["index_path"].unique().to_list() == [f"segy-headers/{index.name}"]
    out.parent.rename(tmp_path / "moved")
    row = read_table(tmp_path / "moved" / "samples.parquet").frame.row(0, named=True)
    assert Path(row["index_path"]).is_file()
    monkeypatch.setattr(index_file, "read_trace_words", None)  # nothing reads the headers again
    np.testing.assert_array_equal(SeismicReader().load(row), cube[..., None])
