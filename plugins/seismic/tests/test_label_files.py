"""Label files of a scan: every kind placed by line number and time, merged, and kept or left with the table."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.cli.app import run
from ssl_domains.errors import UsageError
from ssl_domains.samples import Problems, ScanResult, TableFiles
from ssl_domains.stores import mask_names
from ssl_domains_seismic.interpretation import SampledSurvey
from ssl_domains_seismic.interpretation.merging import merge_labels
from ssl_domains_seismic.interpretation.sources import VolumeSource
from ssl_domains_seismic.labels import UNLABELLED
from ssl_domains_seismic.places import places_of_array
from ssl_domains_seismic.reading import Reading

from .conftest import grid_words, smooth
from .labelled_scan import causes, scan_labelled

Make = Callable[..., Path]
Labelled = Callable[..., tuple[ScanResult, NDArray[np.uint8] | None]]
SHAPE = (6, 8, 40)


def mapped_words(x: int = 600_000, y: int = 0) -> list[dict[int, int]]:
    """Lines 100, 102, … × 300, 304, … from 1,000 ms, 50 m × 25 m on the map."""
    return [
        {**given, 109: 1000, 181: x + 50 * (k // 8), 185: y + 25 * (k % 8)}
        for k, given in enumerate(grid_words(range(100, 112, 2), range(300, 332, 4)))
    ]


@pytest.fixture
def survey(make: Make) -> Path:
    return make(smooth(*SHAPE), mapped_words(), name="survey/a.sgy")


@pytest.fixture
def labelled(survey: Path, tmp_path: Path) -> Labelled:
    """Scan the survey with label files of ``tmp_path``; the result, and the label volume of the table."""

    def scanned(*names: str, **options: Any) -> tuple[ScanResult, NDArray[np.uint8] | None]:
        given = [str(tmp_path / name) for name in names]
        result = scan_labelled(survey.parent, tmp_path / "s.parquet", labels=given, **options)
        paths = result.samples.frame["mask_path"].drop_nulls().unique().to_list()
        return result, np.load(paths[0]) if paths else None

    return scanned


def classes(seed: int = 0) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 4, SHAPE).astype(np.uint8)


@pytest.mark.parametrize("code", [5, 8, 3])
def test_a_segy_volume_is_placed_by_line_number(make: Make, labelled: Labelled, code: int) -> None:
    """Traces in falling order, some lines missing, others that the survey does not have."""
    inlines, crosslines = [112, 108, 104, 100], [328, 316, 304, 300, 296]
    whole = classes()
    values = np.zeros((4, 5, 40))
    placed = np.full(SHAPE, UNLABELLED, np.uint8)
    for i, inline in enumerate(inlines):
        for x, crossline in enumerate(crosslines):
            row, column = (inline - 100) // 2, (crossline - 300) // 4
            if row < 6 and column >= 0:
                values[i, x] = whole[row, column]
                placed[row, column] = whole[row, column]
    words = [{**given, 109: 1000} for given in grid_words(inlines, crosslines)]
    make(values, words, name="labels.sgy", code=code)
    result, volume = labelled("labels.sgy")
    assert volume is not None
    np.testing.assert_array_equal(volume, placed)
    assert "labels.sgy labels a.sgy: 2 of its lines are not in the survey" in result.notes


@pytest.mark.parametrize("options", [{}, {"lines": "189,193"}])
def test_lines_of_a_segy_volume_may_stand_in_other_words(
    make: Make, labelled: Labelled, options: dict[str, str]
) -> None:
    """In the first file at 9 and 21; in the second at 189 and 193, as in the survey, and swapped at 9 and 21."""
    words = [{9: given[189], 21: given[193], 109: 1000} for given in mapped_words()]
    make(classes(), words, name="other.sgy")
    both = [{**given, 9: given[193], 21: given[189]} for given in mapped_words()]
    make(classes(), both, name="both.sgy")
    for name in ("other.sgy", "both.sgy"):
        result, volume = labelled(name, **options)
        assert causes(result) == {}
        assert volume is not None
        np.testing.assert_array_equal(volume, classes())


def test_a_segy_volume_of_a_part_of_the_times_and_holes(make: Make, labelled: Labelled) -> None:
    words = [{**given, 109: 1040} for given in grid_words(range(100, 112, 2), range(300, 332, 4))]
    kept = [k for k in range(48) if k not in (9, 10)]
    make(classes()[:, :, 10:30].reshape(48, 20)[kept], [words[k] for k in kept], name="labels.sgy")
    _, volume = labelled("labels.sgy")
    placed = np.full(SHAPE, UNLABELLED, np.uint8)
    placed[:, :, 10:30] = classes()[:, :, 10:30]
    placed[1, 1:3] = UNLABELLED
    assert volume is not None
    np.testing.assert_array_equal(volume, placed)


@pytest.mark.parametrize(
    ("lines", "start", "said"),
    [
        ((range(100, 112, 2), range(300, 332, 4)), 0, "its 40 samples are 0 to 156, the 40 of the survey 1000 to 1156"),
        ((range(100, 112, 2), range(300, 332, 4)), 1002, "its 40 samples are 1002 to 1158, the 40 of the survey 1000"),
        (
            (range(500, 512, 2), range(300, 332, 4)),
            1000,
            "its 6 inlines are 500 to 510, the 6 of the survey 100 to 110",
        ),
        ((range(100, 112, 2), range(302, 334, 4)), 1000, "its 8 crosslines are 302 to 330, the 8 of the survey 300"),
    ],
)
def test_a_segy_volume_that_does_not_fit_is_a_problem_with_both_numbers(
    make: Make, labelled: Labelled, lines: tuple[range, range], start: int, said: str
) -> None:
    make(classes(), [{**given, 109: start} for given in grid_words(*lines)], name="labels.sgy")
    result, volume = labelled("labels.sgy")
    assert volume is None
    assert causes(result)["labels.sgy"].startswith(said)


def test_amplitudes_are_no_labels(make: Make, labelled: Labelled) -> None:
    make(smooth(*SHAPE), mapped_words(), name="labels.sgy")
    result, volume = labelled("labels.sgy")
    assert volume is None
    assert "is no class number" in causes(result)["labels.sgy"]


def polygon(inline: tuple[int, int], crossline: tuple[int, int], **properties: Any) -> dict[str, Any]:
    """A rectangle around lines, as a feature in map coordinates."""
    (i0, i1), (x0, x1) = inline, crossline
    x, y = (600_000 + 25 * (i0 - 101), 600_000 + 25 * (i1 - 99)), (25 / 4 * (x0 - 302), 25 / 4 * (x1 - 298))
    ring = [[x[0], y[0]], [x[1], y[0]], [x[1], y[1]], [x[0], y[1]], [x[0], y[0]]]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def write_polygons(path: Path, *features: dict[str, Any]) -> None:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))


def test_files_of_every_kind_are_merged_and_disagreement_is_unlabelled_and_counted(
    tmp_path: Path, labelled: Labelled
) -> None:
    folder = tmp_path / "labels"
    folder.mkdir()
    whole = classes()
    whole[3:] = UNLABELLED
    np.save(folder / "volume.npy", whole)
    section = whole[1].copy()
    section[2, 5:9] = (section[2, 5:9] + 1) % 4
    section[4, 0] = UNLABELLED
    Image.fromarray(np.ascontiguousarray(section.T)).save(folder / "il_102.png")
    np.savetxt(folder / "xl_308.csv", np.concatenate([whole[:3, 2], np.full((3, 40), 3)]), fmt="%d", delimiter=",")
    write_polygons(folder / "bodies.geojson", polygon((106, 108), (300, 304), **{"class": 2, "time_ms": 1020}))
    (folder / "README.txt").write_text("Drawn in June.\n")
    (folder / "notes.pdf").write_bytes(b"%PDF")
    result, volume = labelled("labels")
    right = whole.copy()
    right[3:, 2] = 3
    right[3:5, :2, 5] = 2
    right[1, 2, 5:9] = UNLABELLED
    assert volume is not None
    np.testing.assert_array_equal(volume, right)
    assert causes(result) == {}
    (disagreeing,) = [note for note in result.notes if "different classes" in note]
    assert disagreeing.startswith("a.sgy: 4 voxels have different classes in several files (bodies.geojson, il_102.png")
    assert "passed over as no label files: 1 .pdf, 1 .txt without a table of numbers" in result.notes


def test_many_sections_are_placed_and_ten_are_named(tmp_path: Path, labelled: Labelled) -> None:
    (tmp_path / "labels").mkdir()
    for number in range(6):
        np.save(tmp_path / "labels" / f"il_{100 + 2 * number}.npy", classes()[number])
    for number in range(8):
        np.save(tmp_path / "labels" / f"xl_{300 + 4 * number}.npy", classes()[:, number])
    result, volume = labelled("labels")
    assert volume is not None
    np.testing.assert_array_equal(volume, classes())
    assert sum(" labels a.sgy" in note for note in result.notes) == 10
    assert "… and 4 more label files" in result.notes


def test_three_files_of_which_two_agree_are_a_disagreement(tmp_path: Path, labelled: Labelled) -> None:
    for name, number in (("a", 1), ("b", 2), ("c", 1)):
        np.save(tmp_path / f"{name}.npy", np.full(SHAPE, number, np.uint8))
    result, volume = labelled("a.npy", "b.npy", "c.npy")
    assert volume is None
    assert any(note.startswith(f"a.sgy: {np.prod(SHAPE):,} voxels have different classes") for note in result.notes)
    _, volume = labelled("a.npy", "c.npy")
    assert volume is not None
    assert (volume == 1).all()


def test_a_bad_value_leaves_one_file_out_and_the_others_stay(tmp_path: Path, labelled: Labelled) -> None:
    good, bad = classes(), classes(1).astype(np.float32)
    bad[5, 7, 39] = 2.5
    np.save(tmp_path / "good.npy", good)
    np.save(tmp_path / "bad.npy", bad)
    result, volume = labelled("bad.npy", "good.npy")
    assert volume is not None
    np.testing.assert_array_equal(volume, good)
    assert causes(result) == {"bad.npy": "the value 2.5 is no class number: those are 0 to 254, and 255 for unlabelled"}


def test_labels_where_there_is_no_trace_are_counted_and_left_out(make: Make, tmp_path: Path) -> None:
    words, kept = mapped_words(), [k for k in range(48) if k not in (9, 10)]
    path = make(smooth(*SHAPE).reshape(48, 40)[kept], [words[k] for k in kept], name="holes/a.sgy")
    np.save(tmp_path / "labels.npy", classes())
    result = scan_labelled(path.parent, tmp_path / "s.parquet", labels=tmp_path / "labels.npy")
    volume = np.load(result.samples.frame["mask_path"][0])
    right = classes()
    right[1, 1:3] = UNLABELLED
    np.testing.assert_array_equal(volume, right)
    assert "a.sgy: 80 labelled voxels lie where there is no trace: they are unlabelled" in result.notes


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("labels.npz", b"PK", "an .npz file holds several arrays: save the array of class numbers with numpy.save"),
        ("labels.pdf", b"%PDF", "it is no label file"),
        ("labels.npy", b"\x93NUMPY\x01\x00", "its numbers can't be read"),
        ("labels.sgy", b"short", "this is no SEG-Y file"),
        ("labels.geojson", b"{}", "it is no GeoJSON"),
        ("horizon.txt", b"no numbers here\n", ""),
    ],
)
def test_files_that_are_no_labels_are_problems(
    tmp_path: Path, labelled: Labelled, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result, volume = labelled(name)
    assert volume is None
    assert said in causes(result)[name]
    assert len(result.samples) == 6


def test_label_files_inside_the_source_are_no_surveys(make: Make, survey: Path, tmp_path: Path) -> None:
    make(classes(), mapped_words(), name="survey/labels/facies.sgy", code=8)
    np.save(survey.parent / "labels" / "other.npy", classes())
    given = survey.parent / "labels"
    result = scan_labelled(survey.parent, tmp_path / "s.parquet", labels=given)
    assert result.samples.frame["survey"].unique().to_list() == ["a.sgy"]
    with pytest.raises(UsageError, match="a folder that holds the surveys too"):
        scan_labelled(survey.parent, tmp_path / "s.parquet", labels=survey.parent)


def test_label_volumes_beside_a_survey_are_named_with_the_option_that_uses_them(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", smooth(*SHAPE))
    np.save(tmp_path / "a_labels.npy", classes())
    result = scan_labelled(tmp_path, tmp_path / "s.parquet")
    assert any("1 label volumes (.npy; --labels FILE uses one)" in note for note in result.notes)
    result = scan_labelled(tmp_path, tmp_path / "s.parquet", labels=tmp_path / "a_labels.npy")
    assert not any("passed over" in note for note in result.notes)
    assert result.samples.frame["mask_path"].null_count() == 0


def test_a_file_belongs_to_the_survey_that_it_fits(make: Make, survey: Path, tmp_path: Path) -> None:
    words = grid_words(range(100, 108, 2), range(300, 320, 4))
    make(smooth(4, 5, 40), words, name="survey/b.sgy")
    np.save(tmp_path / "small.npy", np.full((4, 5, 40), 3, np.uint8))
    np.save(tmp_path / "il_102.npy", np.full((8, 40), 2, np.uint8))
    np.save(tmp_path / "none.npy", np.zeros((2, 2, 2), np.uint8))
    given = [tmp_path / name for name in ("small.npy", "il_102.npy", "none.npy")]
    result = scan_labelled(survey.parent, tmp_path / "s.parquet", labels=given)
    by_survey = {
        name: np.unique(np.load(path)).tolist()
        for name, path in result.samples.frame.drop_nulls("mask_path")
        .select("survey", "mask_path")
        .unique()
        .iter_rows()
    }
    assert by_survey == {"a.sgy": [2, UNLABELLED], "b.sgy": [3]}
    assert causes(result)["none.npy"] == (
        "it fits none of the 2 surveys: a.sgy: it has 2 inlines, the survey has 6; b.sgy: it has 2 inlines, the survey "
        "has 4"
    )


def test_a_file_that_fits_two_places_equally_is_an_error_that_says_how_to_decide(
    make: Make, survey: Path, tmp_path: Path
) -> None:
    make(smooth(*SHAPE), mapped_words(x=700_000), name="survey/b.sgy")
    path = tmp_path / "labels.npy"
    np.save(path, classes())
    with pytest.raises(UsageError, match=r"'labels\.npy' fits 2 surveys equally: a\.sgy, b\.sgy") as caught:
        scan_labelled(survey.parent, tmp_path / "s.parquet", labels=path)
    assert caught.value.hint == f"say which: --labels a.sgy={path}; or scan the surveys one by one"
    frame = scan_labelled(survey.parent, tmp_path / "s.parquet", labels=f"b.sgy={path}").samples.frame
    assert frame.filter(pl.col("mask_path").is_not_null())["survey"].unique().to_list() == ["b.sgy"]


def test_two_stacks_of_one_place_have_the_same_labels(make: Make, survey: Path, tmp_path: Path) -> None:
    make(smooth(*SHAPE, seed=1), mapped_words(), name="survey/far.sgy")
    np.save(tmp_path / "labels.npy", classes())
    result = scan_labelled(survey.parent, tmp_path / "s.parquet", labels=tmp_path / "labels.npy")
    paths = result.samples.frame.select("survey", "mask_path").unique().sort("survey")
    assert paths["survey"].to_list() == ["a.sgy", "far.sgy"]
    for path in paths["mask_path"]:
        np.testing.assert_array_equal(np.load(path), classes())
    assert "labels.npy labels a.sgy, far.sgy" in result.notes


def write_horizon(path: Path, ms: float, without: tuple[int, int] | None = None) -> None:
    rows = [
        f"{i} {x} {1e30 if (i, x) == without else ms + i / 2}" for i in range(100, 112, 2) for x in range(300, 332, 4)
    ]
    path.write_text("\n".join(["INLINE CROSSLINE TIME", *rows, ""]))


def test_several_horizons_make_zones(tmp_path: Path, labelled: Labelled) -> None:
    write_horizon(tmp_path / "base.txt", 1000, without=(104, 308))
    write_horizon(tmp_path / "top.txt", 960)
    result, volume = labelled("base.txt", "top.txt")
    times = 1000 + 4.0 * np.arange(40)
    right = np.zeros(SHAPE, np.uint8)
    for i in range(6):
        top, base = 960 + 50 + i, 1000 + 50 + i
        right[i] = 1 + (times >= top) + (times >= base)
    right[2, 2] = UNLABELLED
    assert volume is not None
    np.testing.assert_array_equal(volume, right)
    assert mask_names(result.samples) == {1: "zone_1", 2: "zone_2", 3: "zone_3"}
    assert "a.sgy: zone 1 above top.txt, 2 from top.txt to base.txt, 3 below base.txt" in result.notes
    assert any(note.startswith("base.txt labels a.sgy: 47 picks, 1 undefined, 1 line skipped") for note in result.notes)
    named, _ = labelled("base.txt", "top.txt", label_names="1=over,2=reservoir,3=under")
    assert named.samples.frame["class"].to_list() == 6 * ["under"]


def test_one_horizon_makes_no_zones_and_zones_mix_with_nothing(tmp_path: Path, labelled: Labelled) -> None:
    write_horizon(tmp_path / "base.txt", 1000)
    write_horizon(tmp_path / "top.txt", 960)
    np.save(tmp_path / "labels.npy", classes())
    result, volume = labelled("base.txt")
    assert volume is None
    assert "a.sgy: it has one horizon, and zones need two: add another, or use it as --horizon base.txt" in result.notes
    with pytest.raises(UsageError, match="numbers of different meaning"):
        labelled("base.txt", "top.txt", "labels.npy")


def test_words_are_numbered_over_all_polygons_or_by_the_names_that_are_given(
    tmp_path: Path, labelled: Labelled
) -> None:
    write_polygons(tmp_path / "a.geojson", polygon((100, 100), (300, 300), facies="salt", ms=1000))
    write_polygons(tmp_path / "b.geojson", polygon((104, 104), (300, 300), facies="channel", ms=1000))
    result, volume = labelled("a.geojson", "b.geojson")
    assert volume is not None
    assert (volume[0, 0, 0], volume[2, 0, 0]) == (2, 1)
    assert mask_names(result.samples) == {1: "channel", 2: "salt"}
    result, volume = labelled("a.geojson", "b.geojson", label_names="7=salt")
    assert volume is not None
    assert (volume[0, 0, 0], volume[2, 0, 0]) == (7, UNLABELLED)
    assert causes(result) == {"b.geojson": "the class 'channel' has no number; known: salt"}
    np.save(tmp_path / "labels.npy", classes())
    with pytest.raises(UsageError, match=r"such as 'salt' have names, and those of labels\.npy have numbers") as caught:
        labelled("a.geojson", "labels.npy")
    assert caught.value.hint == 'say which is which: --label-names "1=salt"'


def test_a_failing_scan_leaves_the_old_table_its_labels_and_nothing_new(survey: Path, tmp_path: Path) -> None:
    out, folder = tmp_path / "s.parquet", tmp_path / "s.labels"
    np.save(tmp_path / "one.npy", classes(1))
    np.save(tmp_path / "two.npy", classes(2))

    def fails(old: list[Path]) -> None:
        def write_table() -> None:
            assert len(list(folder.iterdir())) == len(old) + 1
            raise RuntimeError("the table can't be written")

        with pytest.raises(RuntimeError):
            scan_labelled(survey.parent, out, labels=tmp_path / "two.npy", write_table=write_table)
        assert sorted(folder.iterdir() if folder.is_dir() else []) == old

    fails([])
    assert not folder.exists()
    scan_labelled(survey.parent, out, labels=tmp_path / "one.npy")
    (first,) = folder.iterdir()
    fails([first])
    np.testing.assert_array_equal(np.load(first), classes(1))
    scan_labelled(survey.parent, out, labels=tmp_path / "one.npy")
    assert list(folder.iterdir()) == [first]
    scan_labelled(survey.parent, out, labels=tmp_path / "two.npy")
    (second,) = folder.iterdir()
    assert second != first
    scan_labelled(survey.parent, out)
    assert not folder.exists()


def test_labels_of_a_large_survey_are_never_whole_in_memory(tmp_path: Path) -> None:
    shape = (60, 100, 4000)  # 24 MB
    places = places_of_array(shape, np.dtype(np.float32))
    survey = SampledSurvey(pl.DataFrame(), "a.npy", tmp_path / "a.npy", places, Reading())
    array = np.lib.format.open_memmap(tmp_path / "labels.npy", mode="w+", dtype=np.uint8, shape=shape)
    array[:, ::2] = 1
    tracemalloc.start()
    merged = merge_labels(
        survey, {tmp_path / "labels.npy": VolumeSource(array)}, TableFiles(tmp_path / "s.parquet"), Problems()
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert merged is not None
    assert (merged.counts[0], merged.counts[1]) == (12_000_000, 12_000_000)
    assert peak < 10e6


def test_the_only_volume_can_not_be_its_own_labels(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(smooth(4, 4, 16))
    assert run(["seismic", "scan", str(tmp_path), "-o", str(tmp_path / "s.parquet"), "--labels", str(path)]) == 4
    assert "a file that is given as labels is not sampled" in capsys.readouterr().err
