"""Flat pictures through a lens: exact geometry, honest placement, and the class told by the picture alone."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

from ssl_domains.cli.app import run
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable, join_columns, read_frame
from ssl_domains_fisheye.lens import Camera, camera_of
from ssl_domains_fisheye.reader import FisheyeReader
from ssl_domains_fisheye.scenes import write_lens_scenes
from ssl_domains_fisheye.scenes.card import Card
from ssl_domains_fisheye.scenes.eye import Eye
from ssl_domains_fisheye.scenes.placement import Placement

SMALL = {
    "intrinsic": {
        "model": "radial_poly", "k1": 170.0, "k2": -16.0, "k3": 8.0, "k4": -2.0,
        "width": 640.0, "height": 520.0, "cx_offset": 2.5, "cy_offset": -3.5, "aspect_ratio": 1.0,
    }
}  # fmt: skip
CLASSES = ("bird", "cat", "ship")


def pictures(folder: Path, train: int, test: int, classes: tuple[str, ...] = CLASSES, size: int = 16) -> Path:
    """Pictures of noise: nothing in them tells the class."""
    rng = np.random.default_rng(0)
    for split, count in (("train", train), ("test", test)):
        for name in classes:
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (size, size, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(folder / split / name / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 pictures in scenes, with wrong calibrations beside them; not to be changed."""
    base = tmp_path_factory.mktemp("scenes")
    (base / "lens.json").write_text(json.dumps(SMALL))
    pictures(base / "pictures", 100, 32)
    told = write_lens_scenes(
        base / "pictures", base / "lens.json", base / "out", per_scene=8, smallest_side=12, largest_side=24,
        mismatch=0.1, largest=85,
    )  # fmt: skip
    assert "396 real pictures in 50 scenes through simulated optics" in told
    return base / "out"


@pytest.fixture(scope="module")
def table(written: Path) -> SampleTable:
    found = FisheyeReader().scan(written)
    assert len(found.problems) == 0
    return join_columns(found.samples, read_frame(written / "scenes.csv"), "image")


def test_one_row_a_picture_in_a_scene_of_its_split(table: SampleTable, written: Path) -> None:
    frame = table.frame
    assert len(frame) == 396
    assert frame.group_by("split").len().sort("split")["len"].to_list() == [96, 300]
    assert frame.group_by("scene").agg(pl.col("split").n_unique())["split"].max() == 1
    assert frame["theta"].null_count() == 0
    objects = read_frame(written / "objects.csv")
    assert objects["picture"].n_unique() == 396
    assert (objects["picture"].str.split("/").list.first() == objects["split"]).all()
    assert (objects["picture"].str.split("/").list.get(1) == objects["class"]).all()


def test_the_scan_finds_each_card_where_it_was_put(table: SampleTable, written: Path) -> None:
    rows = {(row["image"], row["sample"].rpartition("#")[2]): row for row in table.frame.iter_rows(named=True)}
    with (written / "objects.csv").open() as handle:
        for told in csv.DictReader(handle):
            row = rows[told["image"], told["line"]]
            assert row["class"] == told["class"]
            # A box's middle is not the card's: the lens bends its sides.
            assert row["theta"] == pytest.approx(float(told["theta"]), abs=1.5)


def test_cards_are_apart_and_whole(table: SampleTable) -> None:
    assert table.frame["left"].min() >= 1
    assert table.frame["bottom"].max() <= 519
    for _, scene in table.frame.group_by("scene"):
        edges = scene.select("left", "top", "right", "bottom").to_numpy()
        for i, one in enumerate(edges):
            for other in edges[:i]:
                assert one[0] >= other[2] or other[0] >= one[2] or one[1] >= other[3] or other[1] >= one[3]


def test_theta_is_uniform_and_sizes_do_not_depend_on_it(written: Path) -> None:
    objects = read_frame(written / "objects.csv")
    counts, _ = np.histogram(objects["theta"], np.linspace(0, 85, 6))
    assert counts.min() > 60
    assert counts.max() < 100
    assert abs(np.corrcoef(objects["theta"], objects["side_degrees"])[0, 1]) < 0.15


def test_the_lens_changes_size_and_squeezes_the_edge(table: SampleTable) -> None:
    """Boxes on the horizontal follow the lens: radial along their width, tangential along their height."""
    lens = camera_of(SMALL).lens
    frame = table.frame
    level = np.minimum(np.abs(frame["phi"]), 180 - np.abs(frame["phi"])).to_numpy() < 15
    far, near = (frame["theta"] > 65).to_numpy(), (frame["theta"] < 25).to_numpy()
    shape = (frame["width"] / frame["height"]).to_numpy()
    expected = 1 / float(lens.distortion(np.radians(75)))
    assert expected < 0.8
    assert np.median(shape[level & far]) == pytest.approx(expected, abs=0.08)
    assert np.median(shape[level & near]) == pytest.approx(1, abs=0.08)


def test_boxes_tell_nothing_of_the_class(table: SampleTable) -> None:
    features = table.frame.select("width", "height", "radius_norm", "phi").to_numpy()
    forest = RandomForestClassifier(60, random_state=0, min_samples_leaf=5)
    accuracy = cross_val_score(forest, features, table.frame["class"].to_numpy(), cv=4).mean()
    assert accuracy < 0.33 + 0.08


def test_what_is_real_and_what_is_simulated_is_written_down(written: Path) -> None:
    about = json.loads((written / "about.json").read_text())
    assert "pictures" in about["real"]
    assert "optics" in about["simulated"]
    assert about["pictures"] == {"train": 300, "test": 96}
    assert about["scenes"] == {"train": 38, "test": 12}


def test_wrong_calibrations_are_for_the_same_scenes(table: SampleTable, written: Path) -> None:
    for name, factor in (("plus", 1.1), ("minus", 0.9)):
        file = written / f"calibration_{name}" / "FV.json"
        assert json.loads(file.read_text())["intrinsic"]["k1"] == pytest.approx(170 * factor)
        wrong = FisheyeReader().scan(written, calibration=file).samples.frame
        assert (wrong["left"] == table.frame["left"]).all()
        # A steeper lens reaches the same pixel at a smaller angle.
        assert ((wrong["theta"] < table.frame["theta"]) == (factor > 1)).mean() > 0.99


def test_same_seed_same_scenes(written: Path, tmp_path: Path) -> None:
    source = pictures(tmp_path / "pictures", 8, 8)
    for name, seed in (("one", 0), ("again", 0), ("other", 1)):
        write_lens_scenes(source, written.parent / "lens.json", tmp_path / name, per_scene=8, largest=60, seed=seed)
    for file in ("rgb_images/test_00002_FV.jpg", "box_2d_annotations/train_00001_FV.txt", "objects.csv"):
        one, again, other = ((tmp_path / name / file).read_bytes() for name in ("one", "again", "other"))
        assert one == again
        assert one != other


@pytest.mark.parametrize("theta", [2.0, 50.0, 80.0])
def test_every_pixel_is_where_the_projection_says(theta: float) -> None:
    """A picture of a colour ramp: what a pixel shows tells which point of the card it saw, and that is projected."""
    camera = camera_of(SMALL)
    card = Card(math.radians(theta), 0.4, 0.12, 0.2)
    ramp = np.linspace(0, 255, 64)
    picture = np.stack(np.broadcast_arrays(ramp[None, :], ramp[:, None], 255.0), axis=-1).astype(np.uint8)
    scene = np.zeros((camera.height, camera.width, 3), np.float32)
    left, top, right, bottom = Eye.of(camera).draw(scene, card, picture)
    whole = np.argwhere(scene[..., 2] > 254.9)
    assert len(whole) > 300
    side = 2 * card.half
    shown = scene[whole[:, 0], whole[:, 1], :2] / 255 * (63 / 64) * side - card.half + side / 128
    across, down = card.axes
    points = card.direction + shown[:, :1] * across + shown[:, 1:] * down
    away = camera.project(points) - whole[:, ::-1]
    inner = (np.abs(shown) < 0.9 * card.half).all(axis=1)
    assert np.abs(away[inner]).max() < 0.6
    assert np.abs(away[inner]).mean() < 0.15
    assert (left, top) == (
        whole[:, 1].min() - (left < whole[:, 1].min()),
        whole[:, 0].min() - (top < whole[:, 0].min()),
    )
    outline = camera.project(card.outline()) + 0.5
    assert [left, top, right, bottom] == pytest.approx([*outline.min(axis=0), *outline.max(axis=0)], abs=1.0)


def test_a_card_faces_the_camera_wherever_it_is() -> None:
    for theta, phi in ((0.0, 0.0), (1.2, -2.0), (math.pi / 2, math.pi / 2)):
        card = Card(theta, phi, 0.1, 0.3)
        right, down = card.axes
        frame = np.stack([right, down, card.direction])
        assert frame @ frame.T == pytest.approx(np.eye(3), abs=1e-12)
        assert np.linalg.det(frame) == pytest.approx(1)
        assert np.linalg.norm(card.outline(), axis=1) == pytest.approx(
            np.linalg.norm(card.outline()[::-1], axis=1)[::-1]
        )


def test_a_crowded_scene_is_refused() -> None:
    camera: Camera = camera_of(SMALL)
    with pytest.raises(UsageError, match="don't fit"):
        Placement(camera, math.radians(40), 60, 90).draw(np.random.default_rng(0), 40)


def test_usage_errors(written: Path, tmp_path: Path) -> None:
    source = written.parent
    lens = source / "lens.json"
    with pytest.raises(UsageError, match="both sides"):
        write_lens_scenes(tmp_path, lens, tmp_path / "out")
    with pytest.raises(UsageError, match="already holds images"):
        write_lens_scenes(source / "pictures", lens, written)
    with pytest.raises(UsageError, match="no scene"):
        write_lens_scenes(source / "pictures", lens, tmp_path / "out", largest=0)
    (tmp_path / "plain.json").write_text(json.dumps({"model": "equidistant", "f": 100, "width": 640, "height": 520}))
    with pytest.raises(UsageError, match="k1"):
        write_lens_scenes(source / "pictures", tmp_path / "plain.json", tmp_path / "out", mismatch=0.1)
    pictures(tmp_path / "bad", 1, 1)
    (tmp_path / "bad" / "train" / "cat" / "0.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"train/cat/0\.png"):
        write_lens_scenes(tmp_path / "bad", lens, tmp_path / "out2", largest=60)


def test_the_command_and_a_scan_of_what_it_wrote(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures(tmp_path / "pictures", 4, 2)
    (tmp_path / "lens.json").write_text(json.dumps(SMALL))
    out = tmp_path / "out"
    words: list[Any] = ["fisheye", "lens-scenes", tmp_path / "pictures", tmp_path / "lens.json", "-o", out]
    words += ["--per-scene", "5", "--side", "12", "24", "--largest", "80"]
    assert run([str(word) for word in words]) == 0, capsys.readouterr().err
    following = capsys.readouterr().out.splitlines()[-1].removeprefix("next: ssl-domains ")
    assert run(following.split()) == 0, capsys.readouterr().err
    frame = pl.read_parquet(out / "samples.parquet")
    assert set(frame["split"]) == {"train", "test"}
    assert frame["scene"].n_unique() == 5
    audit = ["splits", "audit", str(out / "samples.parquet"), "--split", "split", "--group", "scene"]
    assert run(audit) == 0, capsys.readouterr().err


@pytest.mark.shared_data
def test_real_pictures_through_a_real_lens_are_at_chance_by_their_boxes(shared_data: Path, tmp_path: Path) -> None:
    import zipfile

    with zipfile.ZipFile(shared_data / "fisheye" / "cifar10_subset.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".jpg")]
        for name in names[:: len(names) // 700]:
            archive.extract(name, tmp_path / "pictures")
    lens = shared_data / "fisheye" / "woodscape_front.json"
    write_lens_scenes(tmp_path / "pictures", lens, tmp_path / "out")
    frame = FisheyeReader().scan(tmp_path / "out").samples.frame
    assert frame["class"].n_unique() == 10
    assert 24 < frame.filter(pl.col("theta") < 15)["width"].median() < 50
    assert frame["theta"].max() > 85
    features = frame.select("width", "height", "radius_norm", "phi").to_numpy()
    forest = RandomForestClassifier(60, random_state=0, min_samples_leaf=5)
    assert cross_val_score(forest, features, frame["class"].to_numpy(), cv=4).mean() < 0.15
