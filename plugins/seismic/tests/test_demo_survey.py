"""The demonstration's survey: segyio reads the numbers that were meant, and the facies are told by texture alone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import segyio
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter
from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis
from sklearn.metrics import balanced_accuracy_score

from drawn_survey import drawn
from ssl_domains_seismic.demo.facies import FACIES
from ssl_domains_seismic.demo.segy_bytes import ibm_words, text_header
from ssl_domains_seismic.demo.survey import AFFINE, CROSSLINES, INLINES, MS, Survey
from ssl_domains_seismic.demo.write import write_demo_data

TRAIN, TEST = slice(0, 54), slice(66, 120)
"""Crosslines of two parts with a gap between them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo data")
    told = write_demo_data(out, 0)
    assert f"ssl-domains seismic scan '{out / 'survey'}'" in told
    assert "11801 traces" in told
    return out


@pytest.fixture(scope="module")
def survey() -> Survey:
    return drawn(0)


@pytest.mark.parametrize(("name", "code"), [("near", 1), ("far", 5)])
def test_segyio_reads_the_numbers_of_the_survey(folder: Path, survey: Survey, name: str, code: int) -> None:
    with segyio.open(folder / "survey" / f"{name}.sgy", ignore_geometry=True) as file:
        assert file.tracecount == survey.live.sum() == 11801
        assert int(file.format) == code
        assert segyio.tools.dt(file) == 4000
        assert file.samples.tolist() == MS.tolist() == list(range(1000, 1800, 4))
        inline, crossline = file.attributes(9)[:], file.attributes(21)[:]
        at = np.searchsorted(INLINES, inline), np.searchsorted(CROSSLINES, crossline)
        assert np.array_equal(np.argwhere(survey.live), np.stack(at, 1)), "every live place once, inline by inline"
        assert sorted(set(np.diff(np.unique(inline)))) == [2]
        assert sorted(set(np.diff(np.unique(crossline)))) == [4]
        assert set(file.attributes(71)[:]) == {-100}
        assert set(file.attributes(109)[:]) == {1000}
        assert set(file.attributes(29)[:]) == {1}
        assert np.array_equal(file.attributes(1)[:], np.arange(1, 11802))
        x, y = AFFINE @ np.stack([inline, crossline, np.ones_like(inline)])
        assert np.abs(file.attributes(181)[:] / 100 - x).max() <= 0.0051
        assert np.abs(file.attributes(185)[:] / 100 - y).max() <= 0.0051
        meant = survey.stacks[name][at]
        assert np.abs(file.trace.raw[:] - meant).max() <= 1e-6 * np.abs(meant).max()


def test_the_grid_is_rotated_and_its_bins_are_25_by_12_5_metres() -> None:
    along_inlines, along_crosslines = AFFINE[:, 0] * 2, AFFINE[:, 1] * 4
    assert np.hypot(*along_inlines) == pytest.approx(25.0)
    assert np.hypot(*along_crosslines) == pytest.approx(12.5)
    assert along_inlines @ along_crosslines == pytest.approx(0, abs=1e-9)
    assert np.rad2deg(np.arctan2(along_inlines[1], along_inlines[0])) == pytest.approx(32.0)


def test_the_words_of_revision_1_hold_no_grid(folder: Path) -> None:
    with segyio.open(folder / "survey" / "near.sgy", ignore_geometry=True) as file:
        junk = np.stack([file.attributes(189)[:], file.attributes(193)[:]], 1)
    assert len(np.unique(junk, axis=0)) < 0.15 * len(junk), "most cells occur several times"


def test_the_text_header_is_ebcdic_and_says_the_bytes(folder: Path) -> None:
    with segyio.open(folder / "survey" / "far.sgy", ignore_geometry=True) as file:
        text = file.text[0].decode("ascii")
        lines = [text[start : start + 80].rstrip() for start in range(0, 3200, 80)]
    assert lines[0].startswith("C 1 CLIENT")
    assert lines[7:9] == ["C 8 INLINE: BYTES 9-12", "C 9 CROSSLINE: BYTES 21-24"]
    assert "CDP X: BYTES 181-184" in lines[9]
    assert lines[2] == "C 3", "blank lines are left for what others add"
    assert lines[39] == "C40 END TEXTUAL HEADER"


def test_two_stacks_share_the_places_and_not_the_amplitudes(survey: Survey) -> None:
    near, far = (survey.stacks[name][survey.live] for name in ("near", "far"))
    assert 0.3 < np.corrcoef(near.ravel(), far.ravel())[0, 1] < 0.95
    assert near.std() > 1.3 * far.std()


def test_ibm_words_have_the_values_of_the_format() -> None:
    values = np.array([6.25, -118.625, 1.0, 0.0, 0.15625, 2.0**-20, 123456.0], dtype=np.float32)
    words = [0x41640000, 0xC276A000, 0x41100000, 0, 0x40280000, 0x3C100000, 0x451E2400]
    assert ibm_words(values).tolist() == words


def test_a_line_that_is_too_long_never_moves_those_after_it() -> None:
    assert len(text_header({1: "X" * 76})) == 3200
    with pytest.raises(ValueError, match="longer than 80 characters"):
        text_header({1: "X" * 77})


def test_labels_are_the_facies_as_segy_and_npy(folder: Path, survey: Survey) -> None:
    with segyio.open(folder / "labels" / "facies.sgy", ignore_geometry=True) as file:
        assert int(file.format) == 8
        assert np.array_equal(file.trace.raw[:], survey.facies[survey.live])
        assert len(set(zip(file.attributes(9)[:], file.attributes(21)[:], strict=True))) == 11801
    stored = np.load(folder / "labels" / "facies.npy")
    assert stored.dtype == np.uint8
    assert np.array_equal(stored[survey.live], survey.facies[survey.live])
    assert set(stored[~survey.live].ravel()) == {255}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_facies_is_common(seed: int) -> None:
    facies = drawn(seed).facies
    share = np.bincount(facies.ravel(), minlength=len(FACIES)) / facies.size
    assert len(share) == len(FACIES) == 5
    assert share.min() >= 0.03


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_depth_does_not_tell_the_facies(seed: int) -> None:
    """The best classifier that sees the depth alone."""
    facies = drawn(seed).facies
    gapped = depth_only(facies[:, TRAIN], facies[:, TEST])
    assert gapped <= 0.35, "chance is 0.2"
    assert gapped < depth_only(facies, facies) <= 0.45, "even when the test part is what it was fitted on"


def depth_only(known: NDArray[np.uint8], asked: NDArray[np.uint8]) -> float:
    """Balanced accuracy of naming, at each depth, the facies that is there most often beside its share of the whole."""
    at_depth = np.stack([(known == number).mean((0, 1)) / (known == number).mean() for number in range(len(FACIES))])
    answer = np.broadcast_to(at_depth.argmax(0), asked.shape)
    return float(balanced_accuracy_score(asked.ravel(), answer.ravel()))


def texture(traces: NDArray[np.float32]) -> NDArray[np.float32]:
    """Hand-made features of every voxel; the first is the strength, which the others don't depend on."""
    slopes = [np.gradient(traces, axis=axis) for axis in range(3)]
    power = uniform_filter(traces**2, 9) + 1e-6
    features = [power]
    features += [uniform_filter(slopes[a] * slopes[b], 9) / power for a in range(3) for b in range(a, 3)]
    features += [uniform_filter(uniform_filter(traces, (5, 5, 1)) ** 2, 9) / power]
    return np.log(np.abs(np.stack(features, -1)) + 1e-3)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_texture_tells_the_facies_and_the_strength_does_not(seed: int) -> None:
    """Gaussians of hand-made features, fitted on one part and asked on the other."""
    survey = drawn(seed)
    features = texture(survey.stacks["near"] / 1000)[::8, :, ::5]
    facies = survey.facies[::8, :, ::5]
    scores = []
    for columns in (slice(None), slice(0, 1)):
        known, asked = features[:, TRAIN, :, columns], features[:, TEST, :, columns]
        model = QuadraticDiscriminantAnalysis(priors=np.full(len(FACIES), 1 / len(FACIES)), reg_param=0.01)
        model.fit(known.reshape(-1, known.shape[-1]), facies[:, TRAIN].ravel())
        answer = model.predict(asked.reshape(-1, asked.shape[-1]))
        scores.append(balanced_accuracy_score(facies[:, TEST].ravel(), answer))
    assert scores[0] > 0.55
    assert scores[1] < 0.42


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    write_demo_data(tmp_path / "again", 0)
    write_demo_data(tmp_path / "other", 1)
    assert fingerprint(folder) == fingerprint(tmp_path / "again")
    assert fingerprint(folder) != fingerprint(tmp_path / "other")


def fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(path.relative_to(folder).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
