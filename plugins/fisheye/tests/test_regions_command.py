"""``fisheye regions``: the drawn partition is the one the rule makes."""

from __future__ import annotations

import itertools
import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import write_table
from ssl_domains_fisheye.cli import app
from ssl_domains_fisheye.drawing import draw_regions
from ssl_domains_fisheye.lens import read_calibration
from ssl_domains_fisheye.pairs import REGIONS
from ssl_domains_fisheye.reader import FisheyeReader


@pytest.fixture
def scene(demo: Path) -> tuple[Path, Path]:
    return demo / "rgb_images" / "rec00_0000_FV.png", demo / "calibration" / "FV.json"


def test_the_command_draws_and_tells_the_borders(scene: tuple[Path, Path], tmp_path: Path) -> None:
    image, calibration = scene
    out = tmp_path / "regions.png"
    told = CliRunner().invoke(
        app, ["regions", str(image), "--calibration", str(calibration), "--by", "theta", "--n", "4", "-o", str(out)]
    )
    assert told.exit_code == 0, told.output
    lines = told.output.splitlines()
    assert len(lines) == 5
    camera = read_calibration(calibration)
    theta, _ = camera.unproject(np.stack(np.meshgrid(np.arange(400), np.arange(400)), axis=-1))
    assert np.isnan(theta[0, 0])  # the corners are beyond the lens: the rings end where it does
    borders = np.degrees(np.linspace(np.nanmin(theta), np.nanmax(theta), 5))
    wanted = [f"θ {low:.0f}° to {high:.0f}°" for low, high in itertools.pairwise(borders)]
    assert [line.partition(":")[0] for line in lines[:4]] == wanted
    assert Image.open(out).size[0] > 600


@pytest.mark.parametrize("by", sorted(REGIONS))
def test_every_partition_can_be_drawn(by: str, scene: tuple[Path, Path], tmp_path: Path) -> None:
    image, calibration = scene
    lines = draw_regions(image, tmp_path / "r.svg", calibration=calibration, by=by, n=2, sectors=3)
    assert len(lines) == (6 if by == "sector" else 2)
    shares = [int(line.rpartition(":")[2].split("%")[0]) for line in lines]
    assert sum(shares) == pytest.approx(100, abs=3)
    if by == "quantile":
        assert shares == [50, 50]


def test_borders_of_a_table_are_those_of_its_training_objects(
    scene: tuple[Path, Path], demo: Path, tmp_path: Path
) -> None:
    image, calibration = scene
    table = FisheyeReader().scan(demo).samples
    split = np.where(table.column("recording").to_numpy() == "rec00", "test", "train")
    table = table.with_columns(split=split)
    write_table(table, tmp_path / "samples.parquet")
    lines = draw_regions(
        image, tmp_path / "r.png", calibration=calibration, by="quantile", n=3, samples=tmp_path / "samples.parquet"
    )
    assert [line.rpartition(": ")[2] for line in lines] == ["33% of 1,430 objects"] * 3
    third = np.quantile(table.numbers("radius_norm")[split == "train"], 1 / 3)
    least = table.numbers("radius_norm")[split == "train"].min()
    assert lines[0].startswith(f"radius {least:.2f} to {third:.2f}")


def test_what_cannot_be_drawn(scene: tuple[Path, Path], tmp_path: Path) -> None:
    image, _ = scene
    with pytest.raises(UsageError, match="regions by theta need a calibrated lens"):
        draw_regions(image, tmp_path / "r.png", by="theta")
    with pytest.raises(UsageError, match="unknown partition"):
        draw_regions(image, tmp_path / "r.png", by="squares")
    with pytest.raises(UsageError, match="there is no picture"):
        draw_regions(tmp_path / "nothing.png", tmp_path / "r.png")
    with pytest.raises(UsageError, match=r"can't draw into r\.txt"):
        draw_regions(image, tmp_path / "r.txt")
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    with pytest.raises(DataError, match="not a picture"):
        draw_regions(tmp_path / "text.png", tmp_path / "r.png")


def test_a_picture_of_another_shape_is_refused_and_a_resized_copy_is_not(tmp_path: Path) -> None:
    lens = tmp_path / "lens.json"
    lens.write_text(json.dumps({"model": "equisolid", "f": 60, "width": 200, "height": 100}))
    for name, size in (("half.png", (100, 50)), ("cut.png", (100, 60)), ("turned.png", (100, 200))):
        Image.new("RGB", size).save(tmp_path / name)
    half = draw_regions(tmp_path / "half.png", tmp_path / "r.png", calibration=lens, by="theta", n=2)
    corner = np.degrees(2 * np.arcsin(np.hypot(99.5, 49.5) / 120))
    assert float(half[1].split(" to ")[1].split("°")[0]) == pytest.approx(corner, abs=2)
    for name, size in (("cut.png", "100×60"), ("turned.png", "100×200")):
        with pytest.raises(UsageError, match=f"{name} has {size} px, which is no resize of the calibration's 200×100"):
            draw_regions(tmp_path / name, tmp_path / "r.png", calibration=lens, by="theta")


def test_regions_end_at_the_image_circle(tmp_path: Path) -> None:
    lens = tmp_path / "lens.json"
    lens.write_text(json.dumps({"model": "equisolid", "radius": 40, "fov": 190, "width": 200, "height": 100}))
    Image.new("RGB", (200, 100)).save(tmp_path / "a.png")
    rings = draw_regions(tmp_path / "a.png", tmp_path / "r.png", calibration=lens, by="radius_px", n=2)
    assert [line.partition(":")[0] for line in rings] == ["radius 1 to 20 px", "radius 20 to 40 px"]
    angles = draw_regions(tmp_path / "a.png", tmp_path / "r.png", calibration=lens, by="theta", n=2)
    assert angles[1].startswith("θ 48° to 95°")


def test_rings_that_an_outlier_empties_are_said(scene: tuple[Path, Path], demo: Path, tmp_path: Path) -> None:
    image, calibration = scene
    table = FisheyeReader().scan(demo).samples
    values = table.numbers("distortion").copy()
    values[0] = 90.0
    write_table(table.with_columns(distortion=values), tmp_path / "samples.parquet")
    drawn = CliRunner().invoke(
        app,
        ["regions", str(image), "--calibration", str(calibration), "--by", "distortion", "--samples",
         str(tmp_path / "samples.parquet"), "-o", str(tmp_path / "r.png")],
    )  # fmt: skip
    assert drawn.exit_code == 0, drawn.output
    (said,) = [line for line in drawn.output.splitlines() if "equal widths" in line]
    assert said.startswith("note: 2 of 3 bins of bins('distortion', 3) hold 1 of 1,560 rows")
    theta = {"theta": np.full(len(table), np.nan)}
    write_table(table.with_columns(**theta), tmp_path / "samples.parquet")
    with pytest.raises(DataError, match="theta is unknown for all of the objects"):
        draw_regions(
            image, tmp_path / "r.png", calibration=calibration, by="theta", samples=tmp_path / "samples.parquet"
        )


@pytest.mark.shared_data
def test_a_sky_photograph_in_rings_of_equal_angle(shared_data: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(shared_data / "fisheye" / "sky_fisheye_30.zip") as archive:
        name = next(name for name in archive.namelist() if name.startswith("images/") and name.endswith(".jpg"))
        archive.extract(name, tmp_path)
    lens = tmp_path / "sky.json"
    lens.write_text(json.dumps({"model": "equidistant", "radius": 463, "fov": 180, "width": 926, "height": 926}))
    lines = draw_regions(tmp_path / name, tmp_path / "r.png", calibration=lens, by="theta", n=4)
    # The corners are outside the image circle, where nothing is imaged: rings divide the 90° inside.
    assert [line.partition(":")[0] for line in lines] == ["θ 0° to 23°", "θ 23° to 45°", "θ 45° to 68°", "θ 68° to 90°"]
    result = FisheyeReader().scan(tmp_path / "images", calibration=lens)
    assert len(result.samples) == 1
    assert result.samples.frame["image_width"].to_list() == [926]


def test_a_turned_picture_is_drawn_as_viewers_show_it(tmp_path):
    from PIL import Image

    from ssl_domains_fisheye.drawing import draw_regions

    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (64, 48), "red").save(tmp_path / "turned.jpg", exif=exif)
    Image.new("RGB", (48, 64), "red").save(tmp_path / "upright.jpg")
    borders = {
        name: draw_regions(tmp_path / f"{name}.jpg", tmp_path / f"{name}.png", by="radius", n=3)
        for name in ("turned", "upright")
    }
    assert borders["turned"] == borders["upright"]
    sizes = [Image.open(tmp_path / f"{name}.png").size for name in ("turned", "upright")]
    assert sizes[0] == sizes[1]
