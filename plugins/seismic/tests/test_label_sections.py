"""Sections and volumes of labels: placed by the line in the name, refused with both sizes when they do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from drawn_survey import drawn
from ssl_domains.samples import ReadError
from ssl_domains_seismic.demo.interpretation import SECTION_INLINE, write_section
from ssl_domains_seismic.demo.survey import CROSSLINES, INLINES, MS
from ssl_domains_seismic.labels import UNLABELLED, LabelGrid, line_of, read_label_volume, read_section

GRID = LabelGrid(np.arange(100, 120, 2), np.arange(300, 348, 4), 1000 + 4.0 * np.arange(15))


def classes(traces: int, samples: int = 15) -> NDArray[np.uint8]:
    return np.random.default_rng(traces).integers(0, 5, (traces, samples)).astype(np.uint8)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("facies_inline_300.png", ("inline", 300)),
        ("labels_il101.csv", ("inline", 101)),
        ("IL-0042.png", ("inline", 42)),
        ("iline=7.npy", ("inline", 7)),
        ("crossline 1016 final2.png", ("crossline", 1016)),
        ("XL1016_v3.png", ("crossline", 1016)),
        ("top_xline.12.txt", ("crossline", 12)),
        ("inline_300_il300.png", ("inline", 300)),
    ],
)
def test_the_name_says_the_line(name: str, line: tuple[str, int]) -> None:
    assert line_of(name) == line


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("facies.png", "its name says no line: name it like facies_inline_300.png"),
        ("detail12.png", "its name says no line"),
        ("inline.png", "its name says no line"),
        ("il_100_xl_200.png", "its name says crossline 200 and inline 100: a section lies on one line"),
    ],
)
def test_a_name_without_one_line_is_an_error(name: str, said: str) -> None:
    with pytest.raises(ReadError, match=said):
        line_of(name)


@pytest.mark.parametrize("mode", ["P", "L", "I;16"])
def test_a_picture_is_a_section_of_its_line(tmp_path: Path, mode: str) -> None:
    along_inline, along_crossline = classes(12), classes(10)
    kind = np.uint16 if mode == "I;16" else np.uint8
    for name, section in (("il_104.png", along_inline), ("xl_308.png", along_crossline)):
        picture = Image.fromarray(np.ascontiguousarray(section.T.astype(kind)))
        if mode == "P":
            picture = Image.fromarray(np.ascontiguousarray(section.T), mode="P")
            picture.putpalette(bytes(range(256)) * 3)
        picture.save(tmp_path / name)
    labels = read_section(tmp_path / "il_104.png", GRID).on(GRID)
    assert labels.dtype == np.uint8
    assert np.array_equal(labels[2], along_inline)
    assert (np.delete(labels, 2, 0) == UNLABELLED).all()
    labels = read_section(tmp_path / "xl_308.png", GRID).on(GRID)
    assert np.array_equal(labels[:, 2], along_crossline)
    assert (np.delete(labels, 2, 1) == UNLABELLED).all()


@pytest.mark.parametrize("separator", [",", ";", " ", "\t", ".npy"])
def test_a_table_has_a_row_for_each_trace(tmp_path: Path, separator: str) -> None:
    section = classes(12)
    path = tmp_path / ("il104.npy" if separator == ".npy" else "il104.csv")
    if separator == ".npy":
        np.save(path, section.astype(np.int64))
    else:
        np.savetxt(path, section, fmt="%d", delimiter=separator)
    placed = read_section(path, GRID)
    assert placed.values.shape == (1, 12, 15)
    assert np.array_equal(placed.on(GRID)[2], section)


def test_missing_values_of_a_table_are_unlabelled(tmp_path: Path) -> None:
    section = classes(12).astype(float)
    section[3, 4] = np.nan
    np.savetxt(tmp_path / "il104.csv", section, delimiter=",")
    labels = read_section(tmp_path / "il104.csv", GRID).on(GRID)[2]
    assert labels[3, 4] == UNLABELLED
    assert (labels == UNLABELLED).sum() == 1


@pytest.mark.parametrize(
    ("shape", "suffix", "said"),
    [
        ((11, 15), ".csv", "it has 11 rows, inline 104 has 12 crosslines"),
        ((12, 14), ".csv", "it has 14 columns, inline 104 has 15 samples"),
        ((15, 12), ".csv", "it has 15 rows, inline 104 has 12 crosslines; it stands the other way round"),
        ((11, 15), ".png", "it has 11 columns, inline 104 has 12 crosslines"),
        ((12, 16), ".png", "it has 16 rows, inline 104 has 15 samples"),
    ],
)
def test_another_size_is_an_error_that_names_both(
    tmp_path: Path, shape: tuple[int, int], suffix: str, said: str
) -> None:
    path = tmp_path / f"il104{suffix}"
    section = np.zeros(shape, np.uint8)
    if suffix == ".png":
        Image.fromarray(np.ascontiguousarray(section.T)).save(path)
    else:
        np.savetxt(path, section, fmt="%d", delimiter=",")
    with pytest.raises(ReadError, match=said):
        read_section(path, GRID)


def test_a_line_between_those_of_the_survey_is_not_shifted_to_its_neighbour(tmp_path: Path) -> None:
    np.save(tmp_path / "il105.npy", classes(12))
    with pytest.raises(ReadError, match="inline 105 is not in the survey, whose inlines are 100 to 118"):
        read_section(tmp_path / "il105.npy", GRID)


@pytest.mark.parametrize(
    ("value", "said"),
    [(-1.0, "the value -1.0 is no class"), (2.5, "the value 2.5 is no class"), (256.0, "the value 256.0 is no class")],
)
def test_values_that_are_no_classes_are_named(tmp_path: Path, value: float, said: str) -> None:
    section = classes(12).astype(float)
    section[5, 6] = value
    np.save(tmp_path / "il104.npy", section)
    with pytest.raises(ReadError, match=said):
        read_section(tmp_path / "il104.npy", GRID)


def test_colours_are_no_classes(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((15, 12, 3), np.uint8)).save(tmp_path / "il104.png")
    with pytest.raises(ReadError, match="a picture of the mode RGB has colours instead of class numbers"):
        read_section(tmp_path / "il104.png", GRID)


@pytest.mark.parametrize("suffix", [".png", ".csv", ".npy"])
@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"\x89PNG\r\n\x1a\nnothing",
        b"1,2\n3\n",
        b"\x93NUMPY\x01\x00",
        b"a,b\n",
        b"\x93NUMPY\x01\x00\x10\x00\xd7'descr': '|u1'\n",
        b"\x93NUMPY\x01\x00\x4b\x00{'descr': '|u1', 'fortran_order': False, 'shape': (900000000000, 15), }   \n",
        b"PK\x03\x04",
    ],
)
def test_damaged_files_are_read_errors_of_one_line(tmp_path: Path, suffix: str, contents: bytes) -> None:
    path = tmp_path / f"il104{suffix}"
    path.write_bytes(contents)
    with pytest.raises(ReadError) as error:
        read_section(path, GRID)
    assert "\n" not in str(error.value)


def test_a_volume_is_placed_whole(tmp_path: Path) -> None:
    volume = np.random.default_rng(0).integers(0, 5, GRID.shape).astype(np.int16)
    np.save(tmp_path / "labels.npy", volume)
    assert np.array_equal(read_label_volume(tmp_path / "labels.npy", GRID).on(GRID), volume)


@pytest.mark.parametrize(
    ("shape", "said"),
    [
        ((9, 12, 15), "it has 9 inlines, the survey has 10"),
        ((10, 11, 15), "it has 11 crosslines, the survey has 12"),
        ((10, 12, 16), "it has 16 samples, the survey has 15"),
        ((10, 12), "a volume of labels has 3 axes, this array has 2"),
    ],
)
def test_a_volume_of_another_size_is_an_error(tmp_path: Path, shape: tuple[int, ...], said: str) -> None:
    np.save(tmp_path / "labels.npy", np.zeros(shape, np.uint8))
    with pytest.raises(ReadError, match=said):
        read_label_volume(tmp_path / "labels.npy", GRID)


def test_the_section_of_the_demonstration_is_read_as_it_was_meant(tmp_path: Path) -> None:
    survey = drawn(0)
    path = tmp_path / f"facies_inline_{SECTION_INLINE}.png"
    write_section(path, survey)
    placed = read_section(path, LabelGrid(INLINES, CROSSLINES, MS.astype(float)))
    at = int(placed.inlines[0])
    assert INLINES[at] == SECTION_INLINE
    meant = np.where(survey.live[at][:, None], survey.facies[at], UNLABELLED)
    assert np.array_equal(placed.values[0], meant)


@pytest.mark.shared_data
def test_the_field_case_is_refused_with_both_lengths(shared_data: Path) -> None:
    case = shared_data.parent / "cases" / "seismic" / "S11"
    if not case.is_dir():
        pytest.skip("the folder of cases is not beside the data sets")
    wanted = json.loads((case / "case.json").read_text())["expected"]
    grid = LabelGrid(np.arange(100, 104), 2568 + 2 * np.arange(21), 4.0 * np.arange(24))
    with pytest.raises(ReadError, match=f"{wanted['labels']} rows, inline 101 has {wanted['volume']} crosslines"):
        read_section(case / "labels_il101.csv", grid)
