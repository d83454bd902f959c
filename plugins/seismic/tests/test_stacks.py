"""Several stacks of one survey as channels: which files belong together, what is read, and what is refused."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import (
    LazyArray,
    ReadError,
    SampleTable,
    ScanResult,
    read_boxes,
    read_table,
    write_portable,
)
from ssl_domains.stores import ArrayStore
from ssl_domains.testing import check_reader
from ssl_domains.views import InputDataset
from ssl_domains_seismic.preprocess import picture_of, sections_for
from ssl_domains_seismic.reader import SeismicReader
from ssl_domains_seismic.reading import Reading
from ssl_domains_seismic.report.thumbnail import thumbnail
from ssl_domains_seismic.stacks import OtherStack, StackedVolume, other_stacks, stacks_text
from ssl_domains_seismic.survey import open_survey

from .conftest import grid_words, smooth

Make = Callable[..., Path]
Scan = Callable[..., ScanResult]
INLINES, CROSSLINES = range(100, 112, 2), range(300, 332, 4)


@pytest.fixture
def angles(make: Make, tmp_path: Path) -> NDArray[np.float32]:
    """Stacks of one grid, ``[stack, inline, crossline, sample]``, of float and int16 words, and files that are none."""
    cubes = np.stack([np.rint(scale * smooth(6, 8, 40, seed)) for seed, scale in enumerate((1, 0.7, 0.4))])
    make(cubes[0], name="near.sgy")
    make(cubes[1], name="mid.sgy", code=3)
    make(cubes[2], name="far.sgy")
    return cubes.astype(np.float32)


def test_files_in_their_order_are_channels(angles: NDArray[Any], scan: Scan) -> None:
    result = scan(stacks="far=far.sgy,near=near.sgy,mid=mid.sgy", along="inline,depth", patch="4")
    assert len(result.problems) == 0
    frame = result.samples.frame
    assert frame["survey"].unique().to_list() == frame["array"].unique().to_list() == ["far.sgy+near.sgy+mid.sgy"]
    assert frame["dtype"].unique().to_list() == ["float32"]
    alone = scan(along="inline,depth", patch="4").samples.frame
    assert frame["region"].to_list() == alone.filter(survey="far.sgy")["region"].to_list()
    reader = SeismicReader()
    volume = reader.open(frame.row(0, named=True))
    assert isinstance(volume, LazyArray)
    assert (volume.shape, volume.dtype) == ((6, 8, 40, 3), np.dtype(np.float32))
    expected = np.moveaxis(angles[[2, 0, 1]], 0, -1)
    np.testing.assert_array_equal(reader.load(frame.row(0, named=True)), expected)
    for slices in (
        (slice(1, 2), slice(2, 8, 3), slice(5, 30)),
        (slice(0, 6, 2), slice(None), slice(7, 8), slice(1, 3)),
        (slice(None), slice(None), slice(None), slice(2, 3)),
        (slice(0, 2), slice(0, 2), slice(0, 3), slice(1, 1)),
    ):
        part, valid = volume.read(slices)
        np.testing.assert_array_equal(part, expected[slices])
        assert valid is None
        assert part.dtype == np.float32 or part.shape[-1] == 1


def test_words_in_names_group_the_files_of_several_surveys(make: Make, scan: Scan, tmp_path: Path) -> None:
    cube = smooth(6, 8, 40)
    names = ("north_near.sgy", "north_far.sgy", "NEAR/south.sgy", "far/south.sgy", "east-near-v2.sgy", "nearby_x.sgy")
    for name in names:
        make(cube, name=name)
    result = scan(stacks="near,far", patch="8")
    assert sorted(set(result.samples.frame["survey"])) == [
        "NEAR/south.sgy+far/south.sgy",
        "north_near.sgy+north_far.sgy",
    ]
    causes = {Path(path).name: cause for path, cause in result.problems.iter_rows()}
    assert causes == {
        "east-near-v2.sgy": "its survey has no stack 'far': no file has its name with that word",
        "nearby_x.sgy": "its name holds none of the words of --stacks: near, far",
    }
    table, written = result.samples, tmp_path / "tables" / "samples.parquet"
    written.parent.mkdir()
    write_portable(table, written)
    tmp_path.joinpath("far").rename(tmp_path / "kept")
    tmp_path.joinpath("kept").rename(tmp_path / "far")
    for row in read_table(written).frame.iter_rows(named=True):
        assert SeismicReader().open(row).shape == (6, 8, 40, 2)


def test_a_table_and_its_files_can_be_moved_together(angles: NDArray[Any], tmp_path: Path) -> None:
    folder = tmp_path / "a" / "data"
    folder.mkdir(parents=True)
    for name in ("near.sgy", "far.sgy"):
        (tmp_path / name).rename(folder / name)
    result = SeismicReader().scan(folder, stacks="near,far")
    write_portable(result.samples, tmp_path / "a" / "samples.parquet")
    (tmp_path / "a").rename(tmp_path / "b")
    row = read_table(tmp_path / "b" / "samples.parquet").frame.row(0, named=True)
    np.testing.assert_array_equal(SeismicReader().load(row), np.moveaxis(angles[[0, 2]], 0, -1))


@pytest.mark.parametrize(
    ("words", "settings", "said"),
    [
        (grid_words(range(100, 112, 2), range(300, 328, 4)), {}, "crosslines 300 to 328 by 4 and 300 to 324 by 4"),
        (grid_words(range(101, 113, 2), CROSSLINES), {}, "inlines 100 to 110 by 2 and 101 to 111 by 2"),
        (None, {"interval": 2000}, "samples 4 ms and 2 ms apart"),
        (None, {"interval": 0}, "samples 4 ms and an unknown time apart"),
        ([{**w, 109: 8} for w in grid_words(INLINES, CROSSLINES)], {}, "the first sample at 0 and 8 ms"),
        (None, {"samples": 30}, "40 and 30 samples a trace"),
    ],
)
def test_stacks_of_other_grids_or_times_are_refused_by_both_names(
    make: Make, scan: Scan, words: Any, settings: dict[str, Any], said: str
) -> None:
    cube = smooth(6, 8, 40)
    make(cube, name="near.sgy")
    other = cube[:, :7] if words is not None and len(words) == 42 else cube
    make(other[:, :, : settings.pop("samples", 40)], words, name="far.sgy", **settings)
    result = scan(stacks="near,far")
    assert len(result.samples) == 0
    assert set(result.problems["cause"]) == {f"the stacks near.sgy and far.sgy differ: {said}"}
    assert len(result.problems) == 2


def test_an_unreadable_stack_takes_its_survey_with_it(angles: NDArray[Any], scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "far.sgy").write_bytes(b"no survey")
    result = scan(stacks="near=near.sgy,far=far.sgy")
    causes = {Path(path).name: cause for path, cause in result.problems.iter_rows()}
    assert causes["near.sgy"] == "the stack far.sgy of its survey can't be sampled"
    assert causes["far.sgy"].startswith("this is no SEG-Y file")
    assert causes["mid.sgy"] == "it is none of the files of --stacks"
    assert len(result.samples) == 0


@pytest.mark.parametrize(
    "text", ["near", "near,", "near=near.sgy,far", "near=near.sgy,far=", "near,Near", "a=near.sgy,b=near.sgy", "=a,=b",
             "near=near.sgy,far=fra.sgy"],
)  # fmt: skip
def test_options_that_name_no_stacks(angles: NDArray[Any], scan: Scan, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        scan(stacks=text)
    assert caught.value.hint
    if "fra" in text:
        assert "far.sgy" in caught.value.hint


def test_a_place_has_data_where_all_stacks_have(make: Make, scan: Scan) -> None:
    cube, words = smooth(6, 8, 40), grid_words(INLINES, CROSSLINES)
    make(cube.reshape(48, 40)[:-1], words[:-1], name="near.sgy")
    make(cube, [{**w, 29: 2 if k == 9 else 1} for k, w in enumerate(words)], name="far.sgy")
    frame = scan(stacks="near,far", patch="40x8").samples.frame
    assert frame["live"].to_list() == [1.0, 7 / 8, 1.0, 1.0, 1.0, 7 / 8]
    part, valid = SeismicReader().open(frame.row(0, named=True)).read((slice(None),) * 4)
    assert valid is not None
    assert valid.shape == (6, 8, 1, 1)
    assert np.argwhere(~valid[:, :, 0, 0]).tolist() == [[1, 1], [5, 7]]
    assert (part[5, 7, :, 0] == 0).all()
    np.testing.assert_array_equal(part[5, 7, :, 1], cube[5, 7])


def test_several_parts_of_stacks_are_read_at_once(make: Make, angles: NDArray[Any], scan: Scan) -> None:
    words = grid_words(INLINES, CROSSLINES)
    make(angles[0].reshape(48, 40)[:-1], words[:-1], name="near.sgy")
    volume = SeismicReader().open(scan(stacks="near,mid,far", patch="4").samples.frame.row(0, named=True))
    rng = np.random.default_rng(0)
    for sides in ((1, 5, 9, 3), (6, 2, 1, 2), (2, 2, 2, 1)):
        room = np.array(volume.shape) - sides
        starts = np.stack([rng.integers(0, one + 1, 30) for one in room.tolist()], axis=1)
        made, valid = read_boxes(volume, starts, sides)
        assert (valid is None) <= (sides[3] == 1), "larger parts meet the hole of the first stack"
        known = np.broadcast_to(True if valid is None else valid, made.shape)
        for place, start in enumerate(starts.tolist()):
            part, live = volume.read([slice(at, at + side) for at, side in zip(start, sides, strict=True)])
            assert made.dtype == volume.dtype
            np.testing.assert_array_equal(made[place], part)
            np.testing.assert_array_equal(known[place], np.broadcast_to(True if live is None else live, sides))


def test_inputs_have_a_channel_for_each_stack_of_each_section(angles: NDArray[Any], scan: Scan, tmp_path: Path) -> None:
    """One clip for all stacks of a survey, so that their amplitudes stay comparable."""
    table = scan(stacks="near,mid,far", along="inline", patch="8", channels=3).samples
    store = ArrayStore.fill(tmp_path / "store", table, SeismicReader())
    declared = sections_for(table)
    assert (declared.channels, declared.size) == (9, 8)
    preprocess = declared.fit(table, store)
    name = "near.sgy+mid.sgy+far.sgy"
    _, clip = preprocess.scaling.windows[name]
    assert clip == pytest.approx(np.percentile(np.abs(angles), 99.5), rel=0.05)
    preprocess.require(table, store)
    for row in (0, len(table) - 1):
        values = InputDataset(table, store, preprocess)[row]["input"].values
        assert values.shape == (1, 9, 8, 8)
        facts = table.frame.row(row, named=True)
        i, x, s = (slice(*facts["region"][k : k + 2]) for k in (0, 2, 4))
        for section in range(3):
            for stack in range(3):
                part = angles[stack, i, x, s]
                expected = np.clip(part[section].T / (2 * clip) + 0.5, 0, 1)
                np.testing.assert_allclose(values[0, 3 * section + stack].numpy(), expected, atol=1e-5)
    assert thumbnail(store.of(table).read(0)[0], table.frame.row(0, named=True)).shape == (8, 8, 1)


def test_stacked_and_single_surveys_are_not_trained_together(angles: NDArray[Any], scan: Scan) -> None:
    both = scan(stacks="near,far", patch="8").samples.frame
    single = scan(patch="8").samples.frame
    table = SampleTable(both.vstack(single.with_columns(stacks=None).select(both.columns)))
    with pytest.raises(DataError, match="samples have 1 to 2 stacks"):
        sections_for(table)


def test_the_reader_keeps_its_contract(angles: NDArray[Any], tmp_path: Path) -> None:
    check_reader(SeismicReader(), tmp_path, stacks="near,mid,far", along="inline,depth", patch="4")


def test_a_pickle_of_stacks_holds_paths(angles: NDArray[Any], tmp_path: Path) -> None:
    volumes = tuple(open_survey(tmp_path / name, Reading()).volume for name in ("near.sgy", "far.sgy"))
    pickled = pickle.dumps(StackedVolume(volumes))
    assert len(pickled) < 2000
    part, _ = pickle.loads(pickled).read((slice(0, 1), slice(0, 2)))
    np.testing.assert_array_equal(part, np.moveaxis(angles[[0, 2], :1, :2], 0, -1))


def test_the_column_finds_files_indices_and_copies_from_the_first_file(tmp_path: Path) -> None:
    first, index, copy = tmp_path / "near" / "a.sgy", str(tmp_path / "headers" / "1.json"), str(tmp_path / "c" / "1.b")
    far = OtherStack(str(tmp_path / "far" / "ä.sgy"), str(tmp_path / "headers" / "2.json"), str(tmp_path / "c" / "2.b"))
    text = stacks_text(first, [far, OtherStack(str(first))])
    assert json.loads(str(text)) == [["../far/ä.sgy", "2.json", "2.b"], ["a.sgy", None]]
    assert other_stacks(str(first), text, index, copy) == [far, OtherStack(str(first))]
    assert other_stacks(str(first), text, None)[0] == OtherStack(far.path)
    assert other_stacks(str(first), '[["../far/ä.sgy", "2.json"]]', index, copy) == [OtherStack(far.path, far.index)]
    for wrong in ("[[1]]", '[["a", null, null, null]]', '[["a", 3]]', "3"):
        with pytest.raises(ReadError, match="does not name the files of the stacks"):
            other_stacks(str(first), wrong, index, copy)
    assert stacks_text(first, []) is None
    assert other_stacks(str(first), None, index) == []


@pytest.mark.parametrize("text", ["near.sgy", "3", '["a.sgy"]', '[["a", "b", "c", "d"]]', "null"])
def test_a_column_that_was_edited_is_one_sentence(angles: NDArray[Any], scan: Scan, text: str) -> None:
    row = scan(stacks="near,far").samples.frame.row(0, named=True)
    with pytest.raises(ReadError, match="does not name the files of the stacks"):
        SeismicReader().open({**row, "stacks": text})


def test_amplitude_steps_change_all_stacks_alike(angles: NDArray[Any], scan: Scan) -> None:
    """The share of two stacks in each other, from which fluids are read, stays as it is."""
    from ssl_domains.extending import RecipeRequest
    from ssl_domains.views import ViewRecipe
    from ssl_domains_seismic.views import recipe

    table = scan(stacks="near,far", patch="8").samples
    made = recipe(RecipeRequest(table, 0, 2, 2, (), sections_for(table).spec))
    alike = ("amplitude-scale", "time-shift", "dip", "crop", "horizontal-flip", "trace-dropout", "spectral-band")
    steps = tuple(step for step in made.steps if step.name in alike)
    assert len(steps) == len(alike)
    near = 0.5 + 0.1 * (torch.rand(16, 1, 8, 8) - 0.5)
    images = torch.cat([near, 0.5 + 0.4 * (near - 0.5)], dim=1)
    for view in ViewRecipe(steps, 8).device_views(images, seed=0, step=0, slots=torch.arange(16)):
        torch.testing.assert_close(view.images[:, 1] - 0.5, 0.4 * (view.images[:, 0] - 0.5), atol=1e-6, rtol=1e-4)


def test_pictures_of_volumes_with_stacks() -> None:
    volume = np.arange(2 * 3 * 4 * 2).reshape(2, 3, 4, 2)
    np.testing.assert_array_equal(picture_of(volume[1:2], "inline")[:, :, 1], volume[1, :, :, 1].T)
    np.testing.assert_array_equal(picture_of(volume[:, :, 2:3], "depth")[:, :, 0], volume[:, :, 2, 0])
    np.testing.assert_array_equal(picture_of(volume, "inline")[:, :, 3], volume[1, :, :, 1].T)
