"""The demonstration data: real digits, honest placement, and exactly the planted faults."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

from ssl_domains.errors import UsageError
from ssl_domains.samples import ScanResult
from ssl_domains_fisheye.demo_data import CALIBRATIONS, write_demo_data
from ssl_domains_fisheye.lens import camera_of
from ssl_domains_fisheye.reader import FisheyeReader


@pytest.fixture(scope="module")
def scanned(demo: Path) -> ScanResult:
    return FisheyeReader().scan(demo)


def test_what_is_in_it(scanned: ScanResult) -> None:
    frame = scanned.samples.frame
    assert len(frame) == 1560
    assert frame["image"].n_unique() == 120
    assert frame["recording"].n_unique() == 12
    assert frame["frame"].n_unique() == 60
    assert set(frame["camera"]) == {"FV", "RV"}
    assert frame["class"].n_unique() == 10
    assert 28 < frame["width"].median() < 44
    assert frame["theta"].min() < 8
    assert 75 < frame["theta"].max() < 90
    counts, _ = np.histogram(frame["theta"], [3, 23, 43, 63, 83])
    assert counts.min() > 200  # every ring has its objects


def test_the_planted_faults_and_no_others(scanned: ScanResult) -> None:
    assert [(Path(path).name, cause) for path, cause in scanned.problems.rows()] == [
        ("rec00_0001_RV.txt", "line 14: box (420, 40, 452, 72) is outside the image of 400×400, or under a pixel"),
        ("rec01_0000_FV.txt", "line 14: 4 fields, not the 6 of name,index,left,top,right,bottom"),
        ("rec02_9998_FV.png", "the file is truncated: its end mark is missing"),
        ("rec05_9999_RV.png", "no annotation of this image"),
    ]


def test_the_edge_is_really_squeezed(scanned: ScanResult) -> None:
    """Boxes on the horizontal: their width over height follows the lens, to less than half at the edge."""
    for calibration in CALIBRATIONS.values():
        lens = camera_of(calibration).lens
        assert lens.distortion(np.radians(80)) > 2
        assert lens.limit > np.radians(100)
    frame = scanned.samples.frame
    level = np.minimum(np.abs(frame["phi"]), 180 - np.abs(frame["phi"])).to_numpy() < 20
    far, near = (frame["theta"] > 70).to_numpy(), (frame["theta"] < 25).to_numpy()
    shape = (frame["width"] / frame["height"]).to_numpy()
    assert np.median(shape[level & far]) < 0.7 < 0.9 < np.median(shape[level & near])


def test_placement_tells_nothing_of_the_class(scanned: ScanResult) -> None:
    frame = scanned.samples.frame
    features = frame.select("left", "top", "width", "height", "radius", "phi").to_numpy()
    forest = RandomForestClassifier(60, random_state=0, min_samples_leaf=5)
    accuracy = cross_val_score(forest, features, frame["class"].to_numpy(), cv=4).mean()
    assert accuracy < 0.14  # chance is 0.10


def test_a_digit_is_in_one_place_only(demo: Path, scanned: ScanResult) -> None:
    # Each of the 1,797 pictures is drawn at most once, so that no split by recording can share one.
    assert len(scanned.samples) <= 1797
    assert scanned.samples.frame.group_by("image").len()["len"].unique().to_list() == [13]


def test_same_seed_same_bytes_and_another_seed_others(demo: Path, tmp_path: Path) -> None:
    line = write_demo_data(tmp_path / "again", seed=0)
    assert "real handwritten digits" in line
    assert "simulated optics" in line
    assert f"next: ssl-domains fisheye scan {tmp_path / 'again'}" in line
    for name in ("rgb_images/rec07_0003_RV.png", "box_2d_annotations/rec11_0004_FV.txt", "calibration/RV.json"):
        assert (tmp_path / "again" / name).read_bytes() == (demo / name).read_bytes()
    write_demo_data(tmp_path / "other", seed=1)
    name = "rgb_images/rec07_0003_RV.png"
    assert (tmp_path / "other" / name).read_bytes() != (demo / name).read_bytes()


def test_other_peoples_images_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "rgb_images").mkdir()
    (tmp_path / "rgb_images" / "mine.png").write_bytes(b"mine")
    with pytest.raises(UsageError, match="already holds images"):
        write_demo_data(tmp_path)
