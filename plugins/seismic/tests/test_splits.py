"""Splits by blocks of the map against sets of voxels, and files of one area that are joined by their coordinates."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest

from ssl_domains.audit import audit_split
from ssl_domains.cli.app import run
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import Regions, SampleTable, read_table, write_portable
from ssl_domains_seismic.domain import SEISMIC
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.splits.blocks import gap_of, hold_out, map_blocks, parts_of_map
from ssl_domains_seismic.splits.common_grid import common_grid, place_regions
from ssl_domains_seismic.splits.split_table import split_table

from .conftest import grid_words, smooth

Make = Callable[..., Path]
Row = Mapping[str, Any]


def words(
    inlines: int,
    crosslines: int,
    *,
    x0: float = 0,
    y0: float = 0,
    il: float = 50,
    xl: float = 25,
    angle: float = 0,
    delay: int = 0,
) -> list[dict[int, int]]:
    """Header words of a full grid on the map: crosslines run along ``angle`` degrees from east, inlines to its left."""
    c, s = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    made = []
    for k, given in enumerate(grid_words(range(inlines), range(crosslines))):
        i, j = divmod(k, crosslines)
        x, y = x0 + xl * j * c - il * i * s, y0 + xl * j * s + il * i * c
        made.append({**given, 71: -100, 109: delay, 181: round(100 * x), 185: round(100 * y)})
    return made  # fmt: skip


def survey(make: Make, name: str, inlines: int, crosslines: int, samples: int = 20, **place: Any) -> None:
    make(smooth(inlines, crosslines, samples), words(inlines, crosslines, **place), name=f"data/{name}.sgy")


def scanned(folder: Path, **options: Any) -> SampleTable:
    return SeismicReader().scan(folder / "data", **options).samples


def boxes(table: SampleTable) -> Regions:
    (regions,) = place_regions([table]) or [None]
    assert regions is not None
    return regions


def test_blocks_and_gaps_are_those_of_brute_force(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 24, 32)
    table = scanned(tmp_path, along="inline,depth", patch="4", stride="3")
    grid = common_grid([table])
    assert grid is not None
    (regions,) = grid.regions
    made = map_blocks(regions, grid.areas, (2, 4))
    cells = [set(itertools.product(range(*ends[0:2]), range(*ends[2:4]))) for ends in table.frame["region"].to_list()]
    covered = set().union(*cells)
    last_i, last_x = max(i for i, _ in covered) + 1, max(x for _, x in covered) + 1
    of_cell = {
        (i, x): f"a.sgy:{int(i >= round(last_i / 2)) + 1}-{sum(x >= round(k * last_x / 4) for k in range(4))}"
        for i, x in covered
    }
    for name, own in zip(made.names(), cells, strict=True):
        found = {of_cell[cell] for cell in own}
        assert name == (found.pop() if len(found) == 1 else None)
    sides = hold_out(regions, grid.areas, made, made.find(["1-2"]), gap_of("3"))
    tested = [cell for cell, chosen in zip(cells, sides.test, strict=True) if chosen]
    area = set().union(*tested)
    wide = {(i + di, x + dx) for i, x in area for di in range(-3, 4) for dx in range(-3, 4)}
    for own, name, train, test, near in zip(cells, made.names(), sides.train, sides.test, sides.near, strict=True):
        assert test == (name == "a.sgy:1-2")
        assert near == (not test and bool(own & wide))
        assert train == (not test and not own & wide and all(of_cell[cell] != "a.sgy:1-2" for cell in own))
    assert sides.train.sum() + sides.test.sum() + (sides.near | sides.across).sum() == len(table)


def test_a_split_by_blocks_passes_the_audit_and_its_neighbours_do_not(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 24, 32)
    table = scanned(tmp_path, along="inline,crossline,depth", patch="4")
    grid = common_grid([table])
    assert grid is not None
    made = map_blocks(grid.regions[0], grid.areas, (2, 4))
    sides = hold_out(grid.regions[0], grid.areas, made, made.find(["1-2", "2-4"]), gap_of("5"))
    named = table.with_columns(split=sides.names())
    for gap, leaks in ((5, 0), (10, 1)):
        found = audit_split(named, "split", gap=gap, contents=False, place=place_regions)
        assert len(found.leaks) == leaks
    rng = np.random.default_rng(0)
    random = table.with_columns(split=np.where(rng.random(len(table)) < 0.2, "test", "train"))
    (leak,) = audit_split(random, "split", contents=False, place=place_regions).leaks
    assert leak.details["shared_voxels_share"] > 0.9


def test_gaps_in_metres_count_the_bins_of_each_axis(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 24, 32, il=50, xl=12.5, angle=30)
    grid = common_grid([scanned(tmp_path, patch="4")])
    assert grid is not None
    assert gap_of("100m").bins(grid.areas[0]) == (2, 8)
    assert gap_of("101 m").bins(grid.areas[0]) == (3, 9)
    assert gap_of("2.5").bins(grid.areas[0]) == (3, 3)
    np.save(tmp_path / "data" / "b.npy", smooth(8, 8, 20))
    grid = common_grid([scanned(tmp_path, patch="4")])
    assert grid is not None
    with pytest.raises(UsageError, match=r"b\.npy has no map coordinates"):
        gap_of("100m").bins(grid.areas[1])
    assert any("b.npy has no map coordinates: whether they cover one area" in note for note in grid.notes)


@pytest.mark.parametrize("options", [{"patch": "4"}, {}, {"along": "depth"}])
def test_two_stacks_of_one_area_are_one_array(make: Make, tmp_path: Path, options: dict[str, Any]) -> None:
    survey(make, "near", 12, 16, angle=20)
    survey(make, "far", 12, 16, angle=20)
    table = scanned(tmp_path, **options)
    split = table.with_columns(split=np.where(table.frame["survey"] == "near.sgy", "train", "test"))
    assert not audit_split(split, "split", contents=False).leaks
    found = audit_split(split, "split", contents=False, place=place_regions)
    (leak,) = found.leaks
    assert leak.details["shared_voxels_share"] == 1.0
    assert "far.sgy, near.sgy cover one area, by their coordinates" in found.notes


def test_a_split_holds_out_a_block_in_all_stacks_of_an_area(make: Make, tmp_path: Path) -> None:
    survey(make, "near", 12, 16, angle=20)
    survey(make, "far", 12, 16, angle=20)
    table, out = tmp_path / "s.parquet", tmp_path / "o.parquet"
    write_portable(scanned(tmp_path, along="depth", patch="4"), table)
    report = split_table(table, out, "1x4", hold="1-2")
    assert [name for name, _ in report.maps] == ["far.sgy"]
    frame = read_table(out).frame
    sides = frame.group_by("inline_bin", "crossline_bin").agg(pl.col("split").n_unique(), pl.col("survey").n_unique())
    assert sides["survey"].to_list() == [2] * 12
    assert sides["split"].to_list() == [1] * 12
    assert frame["split"].value_counts().sort("count")["split"].to_list() == ["test", "train"]
    assert frame["block"].unique().sort().to_list() == [f"far.sgy:1-{k}" for k in (1, 2, 3, 4)]


def test_a_part_of_a_survey_lies_where_it_was_cut_from(make: Make, tmp_path: Path) -> None:
    """6 × 8 lines cut from (4, 5) of a survey, 5 samples later: only these voxels are shared."""
    survey(make, "whole", 12, 16, angle=-70, x0=4e5, y0=6e6)
    place = words(12, 16, angle=-70, x0=4e5, y0=6e6)[4 * 16 + 5]
    survey(make, "part", 6, 8, 12, angle=-70, x0=place[181] / 100, y0=place[185] / 100, delay=20)
    table = scanned(tmp_path)
    regions = boxes(table)
    cut = table.frame["survey"].to_numpy() == "part.sgy"
    assert set(regions.arrays.tolist()) == {0}
    offset = regions.starts[cut].min(axis=0) - regions.starts[~cut].min(axis=0)
    assert offset.tolist() == [4, 5, 5]
    assert (regions.stops[cut].max(axis=0) - regions.starts[cut].min(axis=0)).tolist() == [6, 8, 12]


def test_reversed_and_swapped_lines_are_turned_back(make: Make, tmp_path: Path) -> None:
    """Lines of the second file: inlines run against the crosslines of the first, crosslines along its inlines."""
    survey(make, "a", 10, 12, il=25, xl=25)
    survey(make, "b", 12, 10, il=25, xl=25, angle=90, x0=11 * 25)
    table = scanned(tmp_path, along="inline")
    regions = boxes(table)
    turned = table.frame["survey"].to_numpy() == "b.sgy"
    assert regions.starts[turned][:, 1].tolist() == list(range(11, -1, -1))
    assert (regions.stops[turned] - regions.starts[turned]).tolist() == [[10, 1, 20]] * 12
    assert not any("different grids" in note for note in regions.notes)


def test_bins_of_another_size_are_whole_numbers_of_the_smaller_ones(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 16, 16, il=25, xl=25)
    survey(make, "b", 8, 8, il=50, xl=50, x0=12.5, y0=12.5)
    table = scanned(tmp_path, patch="4")
    regions = boxes(table)
    coarse = regions.take(table.frame["survey"].to_numpy() == "b.sgy")
    places = {
        tuple(start[:2]): tuple(stop[:2])
        for start, stop in zip(coarse.starts.tolist(), coarse.stops.tolist(), strict=True)
    }
    assert places == {(2 * i, 8 * x): (2 * i + 2, 8 * x + 8) for i in range(8) for x in range(2)}
    assert regions.notes == ("a.sgy, b.sgy cover one area, by their coordinates",)


def test_boxes_of_a_turned_grid_hold_all_that_lies_in_them(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 16, 16, il=25, xl=25)
    survey(make, "c", 8, 8, il=25, xl=25, angle=30, x0=200, y0=100)
    table = scanned(tmp_path, along="depth", patch="4", every=20)
    regions = boxes(table)
    (note,) = (note for note in regions.notes if "different grids" in note)
    assert note.startswith("c.sgy and a.sgy cover one area by different grids")
    turn = np.radians(30)
    inside = 0
    for row in np.flatnonzero(table.frame["survey"].to_numpy() == "c.sgy"):
        own = table.frame["region"][int(row)].to_list()
        for i, j in itertools.product(range(16), range(16)):  # cells of a, by their centres
            x, y = 25 * j - 200, 25 * i - 100
            crossline = (x * np.cos(turn) + y * np.sin(turn)) / 25
            inline = (-x * np.sin(turn) + y * np.cos(turn)) / 25
            if own[0] - 0.5 <= inline <= own[1] - 0.5 and own[2] - 0.5 <= crossline <= own[3] - 0.5:
                inside += 1
                assert regions.starts[row, 0] <= i < regions.stops[row, 0]
                assert regions.starts[row, 1] <= j < regions.stops[row, 1]
    assert inside > 30


def test_neighbouring_surveys_are_different_areas(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 8, 8, il=25, xl=25)
    survey(make, "b", 8, 8, il=25, xl=25, x0=1000)
    survey(make, "c", 8, 8, il=25, xl=25, angle=45, x0=300, y0=150)  # its bounding box meets that of a, it doesn't
    grid = common_grid([scanned(tmp_path)])
    assert grid is not None
    assert [area.names for area in grid.areas] == [("a.sgy",), ("b.sgy",), ("c.sgy",)]


def test_a_file_that_is_gone_is_named(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 8, 8)
    survey(make, "b", 8, 8)
    table = scanned(tmp_path)
    (tmp_path / "data" / "b.sgy").unlink()
    assert any(note.startswith("b.sgy: the file can't be read") for note in boxes(table).notes)


def test_the_command_writes_folds_and_a_split(make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    survey(make, "a", 24, 32, angle=30)
    table, out, drawn = tmp_path / "s.parquet", tmp_path / "split.parquet", tmp_path / "map.svg"
    assert run(["seismic", "scan", str(tmp_path / "data"), "-o", str(table), "--patch", "4x4", "--along", "depth"]) == 0
    capsys.readouterr()
    assert run(["seismic", "split", str(table), "--blocks", "2x4", "--gap", "3", "-o", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "fold_a.sgy:2-4" in printed
    assert "note: training reads the column 'split': --hold BLOCK writes it for one fold" in printed
    folds = read_table(out)
    assert sum(name.startswith("fold_") for name in folds.columns) == 8
    assert folds.meta.domain == "seismic"
    assert run(["splits", "audit", str(out), "--split", "fold_a.sgy:2-4", "--gap", "3", "--no-contents"]) == 0

    assert run(["seismic", "split", str(table), "--blocks", "1x4", "--hold", "1-2", "--gap", "80m", "-o", str(out),
                "--map", str(drawn)]) == 0  # fmt: skip
    printed = capsys.readouterr().out
    assert "│▒▒▒▒····████████····▒▒▒▒▒▒▒▒▒▒▒▒│" in printed
    names = read_table(out).frame["split"]
    assert set(names.to_list()) == {"train", "test", None}
    picture = ElementTree.parse(drawn).getroot()
    texts = [one.text for one in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"a.sgy:1-2 held out, gap 80 m", "train", "test", "dropped", "a.sgy", "1-1", "1-4"} <= set(texts)
    colours = {one.get("fill") for one in picture.iter("{http://www.w3.org/2000/svg}polygon")}
    assert colours == {"#dddddd", "#56b4e9", "#d55e00", "none"}


def test_sections_across_all_blocks_are_refused(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 8, 8)
    table = scanned(tmp_path)
    path = tmp_path / "s.parquet"
    write_portable(table, path)
    with pytest.raises(DataError, match="every sample lies across a border"):
        split_table(path, tmp_path / "o.parquet", "1x2")
    split_table(path, tmp_path / "o.parquet", "2x1", hold="1-1", gap="1")
    names = read_table(tmp_path / "o.parquet").frame["split"].to_list()
    assert names == ["test"] * 4 + [None] + ["train"] * 3
    with pytest.raises(DataError, match="leaves no sample for training"):
        split_table(path, tmp_path / "o.parquet", "2x1", hold="1-1", gap="100")
    with pytest.raises(UsageError, match="no block '9-9'"):
        split_table(path, tmp_path / "o.parquet", "2x1", hold="9-9")


@pytest.mark.parametrize("text", ["", "4", "0x4", "2x4x3", "axb"])
def test_blocks_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="are no blocks"):
        parts_of_map(text)


@pytest.mark.parametrize("text", ["", "-3", "3km", "m"])
def test_gaps_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="is no length"):
        gap_of(text)


def test_the_audit_finds_the_seismic_way_of_placing(make: Make, tmp_path: Path) -> None:
    assert SEISMIC.place_regions is not None
    survey(make, "near", 6, 8)
    survey(make, "far", 6, 8)
    table = tmp_path / "s.parquet"
    assert run(["seismic", "scan", str(tmp_path / "data"), "-o", str(table), "--split-by", "survey"]) == 0
    assert run(["splits", "audit", str(table), "--split", "split", "--no-contents"]) == 4


@pytest.mark.shared_data
def test_s10_inlines_and_crosslines_of_one_cube(
    shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data.parent / "cases" / "seismic" / "S10"
    if not folder.is_dir():
        pytest.skip("the cases from the field are not beside the real data sets")
    expected = json.loads((folder / "case.json").read_text(encoding="utf-8"))["expected"]
    table = SeismicReader().scan(folder / "cube.npy", along="inline,crossline").samples
    parts = pl.read_csv(folder / "split.csv")
    named = parts.with_columns(pl.col("index").cast(pl.Float64))
    frame = table.frame.join(named, left_on=["along", "section"], right_on=["direction", "index"], how="left")
    path = tmp_path / "s.csv"
    frame.with_columns(pl.col("region").cast(pl.List(pl.String)).list.join(",")).write_csv(path)
    capsys.readouterr()
    assert run(["splits", "audit", str(path), "--split", "part", "--json", "--no-contents"]) == 4
    printed = capsys.readouterr()
    (finding,) = json.loads(printed.out)["findings"]
    assert finding["shared_voxels_share"] == expected["shared_voxels_share"]
    assert "100 % of the voxels of test lie inside samples of train: 576 of 576" in printed.err


def test_positives_of_two_stacks_of_one_area_share_the_voxels_of_their_place(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Patches of 8 × 8 at a stride of 4: the positives of the rule lie at most one stride apart, in either stack."""
    for name in ("near", "far"):
        survey(make, name, 6, 16, samples=24)
    table = tmp_path / "s.parquet"
    words = ["--patch", "8", "--stride", "4", "--every", "5"]
    assert run(["seismic", "scan", str(tmp_path / "data"), "-o", str(table), *words]) == 0
    rule = "same('along') & within('x_m', 101) & within('y_m', 1) & within('ms', 1)"
    rows = read_table(table).frame.select("x_m", "y_m", "ms", "region").to_dicts()
    shares = []
    for one, other in itertools.permutations(rows, 2):
        near = abs(one["x_m"] - other["x_m"]) <= 101 and abs(one["y_m"] - other["y_m"]) <= 1
        if near and abs(one["ms"] - other["ms"]) <= 1:
            shares.append(len(voxels_of(one) & voxels_of(other)) / 64)
    assert len(rows) == 2 * 2 * 3 * 5
    assert {round(share, 3) for share in shares} == {0.5, 1.0}
    capsys.readouterr()
    sets = ["--set", f"train.batch_size={len(rows)}", "--set", "pairs.composition='random'"]
    run(["seismic", "pairs", str(table), "--rule", rule, "--json", *sets])
    printed = capsys.readouterr()
    (relation,) = json.loads(printed.out)["relations"]
    assert relation["shared_voxels"] == pytest.approx(np.mean(shares))
    assert "augmentation in disguise" in printed.err
    sets += ["--set", "encoder.name=small_conv", "--set", "train.max_steps=1", "--set", "train.device=cpu"]
    assert run(["seismic", "pretrain", str(table), "--rule", rule, "--out", str(tmp_path / "run"), *sets]) == 0
    (relation,) = json.loads((tmp_path / "run" / "pairs.json").read_text(encoding="utf-8"))["relations"]
    assert relation["shared_voxels"] == pytest.approx(np.mean(shares))


def voxels_of(row: Row) -> set[tuple[int, int, int]]:
    i0, i1, x0, x1, t0, t1 = row["region"]
    return set(itertools.product(range(i0, i1), range(x0, x1), range(t0, t1)))


def test_each_survey_is_a_block_with_one_part(make: Make, tmp_path: Path) -> None:
    survey(make, "a", 8, 8)
    one = scanned(tmp_path)
    write_portable(one, tmp_path / "one.parquet")
    with pytest.raises(DataError, match="one block of one survey leaves nothing to train on"):
        split_table(tmp_path / "one.parquet", tmp_path / "o.parquet", "1x1")

    survey(make, "b", 6, 8, x0=9000, y0=9000)
    both = scanned(tmp_path)
    write_portable(both, tmp_path / "both.parquet")
    split_table(tmp_path / "both.parquet", tmp_path / "o.parquet", "1x1", hold="b.sgy:1-1")
    frame = read_table(tmp_path / "o.parquet").frame
    sides = {name: set(part["split"].to_list()) for (name,), part in frame.group_by("survey")}
    assert sides == {"a.sgy": {"train"}, "b.sgy": {"test"}}
