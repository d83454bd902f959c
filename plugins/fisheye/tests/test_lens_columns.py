"""The lens in a sample table: its columns, boxes outside the image circle, and views that read it back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ssl_domains.extending import RecipeRequest
from ssl_domains.samples import SampleTable
from ssl_domains_fisheye.batched_lens import BatchedLens
from ssl_domains_fisheye.lens import Camera, LensModel, camera_of, projection_of
from ssl_domains_fisheye.reader import FisheyeReader
from ssl_domains_fisheye.regions import lens_columns
from ssl_domains_fisheye.reprojection import Reprojection
from ssl_domains_fisheye.views import recipe

Write = Callable[[str, Any], Path]
Picture = Callable[..., Path]


def scan(numbers: dict[str, Any], write: Write, picture: Picture, tmp_path: Path) -> Any:
    width, height = numbers["width"] // 4, numbers["height"] // 4
    picture("images/a.png", width, height)
    boxes = [(0.5, 0.5), (0.6, 0.4), (0.02, 0.02)]
    write("labels/a.txt", "".join(f"0 {x} {y} 0.03 0.03\n" for x, y in boxes))
    return FisheyeReader().scan(tmp_path, calibration=write("lens/a.json", numbers))


def test_the_columns_hold_the_whole_lens(
    calibration: dict[str, Any], write: Write, picture: Picture, tmp_path: Path
) -> None:
    table = scan(calibration, write, picture, tmp_path).samples
    camera = camera_of(calibration).scaled(calibration["width"] // 4, calibration["height"] // 4)
    row = table.frame.row(1, named=True)
    coefficients = tuple(row.get(f"lens_{i}", 0.0) for i in range(1, 10))
    lens = LensModel("table", coefficients, projection_of(row.get("lens_projection", 0), row.get("lens_xi", 0.0)))
    again = Camera(lens, row["cx"], row["cy"], row["aspect"], 1, 1, (row.get("lens_p1", 0.0), row.get("lens_p2", 0.0)))
    pixel = [(row["left"] + row["right"]) / 2 - 0.5, (row["top"] + row["bottom"]) / 2 - 0.5]
    theta, phi = camera.unproject(pixel)
    assert again.unproject(pixel) == (pytest.approx(theta, rel=1e-12), pytest.approx(phi, rel=1e-12))
    assert row["theta"] == pytest.approx(np.degrees(theta), rel=1e-12)
    kept = {name for name in table.columns if name.startswith("lens_")}
    # Tables of the older models have the columns that they always had.
    assert {"lens_projection", "lens_xi", "lens_p1", "lens_p2"} & kept == {
        "mei": {"lens_projection", "lens_xi", "lens_p1", "lens_p2"},
        "stereographic": {"lens_projection", "lens_xi"},
        "equisolid": {"lens_projection"},
    }.get(calibration["model"], set())


def test_tensors_and_arrays_are_one_lens(calibration: dict[str, Any]) -> None:
    camera = camera_of(calibration)
    theta, phi = (grid.ravel() for grid in np.meshgrid(np.radians([1.0, 20, 50, 70, 80]), np.linspace(-3, 3, 7)))
    pixels = camera.project(np.stack([np.sin(theta) * np.cos(phi), np.sin(theta) * np.sin(phi), np.cos(theta)], -1))
    names = ("crop_left", "crop_top", "crop_right", "crop_bottom")
    columns = {name: torch.zeros(1, dtype=torch.float64) for name in names}
    columns |= {
        name: torch.tensor([float(value or 0)], dtype=torch.float64) for name, value in lens_columns(camera).items()
    }
    lens = BatchedLens.of(columns, 9)
    there = torch.from_numpy(pixels - [camera.cx, camera.cy])[None]
    found_theta, found_phi = lens.unproject(there)
    assert found_theta[0].numpy() == pytest.approx(theta, abs=1e-7)
    assert found_phi[0].numpy() == pytest.approx(phi, abs=1e-7)
    for i in range(len(theta)):
        place = lens.pixel(torch.tensor([theta[i]]), torch.tensor([phi[i]]))
        assert place[0].numpy() == pytest.approx(there[0, i].numpy(), abs=1e-7)
    beyond = float(lens.limit) * (1 + 1e-9)
    assert torch.isnan(lens.radius(torch.tensor([beyond], dtype=torch.float64)))


def test_boxes_without_an_angle_are_counted(
    calibrations: dict[str, Any], write: Write, picture: Picture, tmp_path: Path
) -> None:
    numbers = {**calibrations["kannala_brandt"], "fov": 120}
    result = scan(numbers, write, picture, tmp_path)
    assert result.samples.frame["theta"].null_count() == 1
    assert result.samples.frame["distortion"].null_count() == 1
    (note,) = [note for note in result.notes if "theta" in note]
    assert note.startswith("theta and distortion are unknown for 1 of 3 boxes")
    whole = scan(calibrations["radial_poly"], write, picture, tmp_path)
    assert whole.samples.frame["theta"].null_count() == 0
    assert not [note for note in whole.notes if "theta" in note]


def test_reprojection_reads_every_coefficient_that_the_table_has(
    calibrations: dict[str, Any], write: Write, picture: Picture, tmp_path: Path
) -> None:
    """Kannala–Brandt has no even powers, so that a table has lens_1, lens_3 and so on."""
    table = scan(calibrations["kannala_brandt"], write, picture, tmp_path).samples
    odd = ("lens_1", "lens_3", "lens_5", "lens_7", "lens_9")
    assert tuple(name for name in table.columns if name.startswith("lens_")) == odd
    step = recipe(RecipeRequest(table, 32, extra=("reprojection",))).steps[0]
    assert isinstance(step, Reprojection)
    assert (step.orders, step.terms) == (9, odd)
    assert set(step.columns) <= set(table.columns)
    still = {"across": torch.zeros(3, dtype=torch.float64), "around": torch.zeros(3, dtype=torch.float64)}
    emitted = step.emits(still, {name: torch.from_numpy(table.numbers(name)) for name in step.columns})
    # The centre of the crop is within a pixel of that of the box.
    assert emitted["view_theta"].numpy()[:2] == pytest.approx(table.numbers("theta")[:2], abs=1.2)
    settings = {key: value for key, value in step.to_dict().items() if key != "name"}
    assert Reprojection(**settings) == step
    plain = scan(calibrations["radial_poly"], write, picture, tmp_path).samples
    first = recipe(RecipeRequest(SampleTable.of(plain.frame), 32, extra=("reprojection",))).steps[0]
    assert "terms" not in first.to_dict()


def test_reprojection_stays_inside_the_image_circle(calibrations: dict[str, Any]) -> None:
    """On the device and on the CPU: what is outside the circle was never seen."""
    camera = camera_of({**calibrations["equidistant"], "fov": 100})
    columns: dict[str, Any] = {name: float(value or 0.0) for name, value in lens_columns(camera).items()}
    columns |= {"crop_left": 480, "crop_top": 300, "crop_right": 528, "crop_bottom": 348}
    assert columns["theta_limit"] == pytest.approx(50)
    step = Reprojection(9)
    drawn = {"across": 1.0, "around": 0.0}
    image = np.linspace(0, 1, 48 * 48 * 3, dtype=np.float32).reshape(48, 48, 3)
    tensors = [
        {name: torch.tensor([float(value)], dtype=torch.float64) for name, value in part.items()}
        for part in (drawn, columns)
    ]
    assert float(step.emits(*tensors)["view_theta"]) <= 50
    moved, mask = step.device(torch.from_numpy(image).permute(2, 0, 1)[None], None, *tensors)
    assert mask is not None
    assert 0 < mask.float().mean() < 1
    other = step.cpu(image, drawn, columns)
    inside = mask[0, 0].numpy()
    assert moved[0].permute(1, 2, 0).numpy()[inside] == pytest.approx(other[inside], abs=5e-3)
