"""The code of the page on predictions: Dice from files alone, and masks in a format of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import polars as pl
import pytest

from page_plugin import titled_blocks
from ssl_domains.prediction.mask_plan import check_plan
from ssl_domains.samples import MapModel, MapPlan, SampleTable

Blocks = Callable[[str, str], list[str]]
PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "predict.md"


def test_dice_is_that_of_the_masks(tmp_path: Path, blocks: Blocks) -> None:
    scope: dict[str, Any] = {}
    (code,) = [text for text in blocks("docs/how-to/predict.md", "python") if "def dice" in text]
    exec(code, scope)
    ours, truth = np.zeros((2, 2, 2), np.uint8), np.zeros((2, 2, 2), np.uint8)
    ours[0, 0], truth[0] = 1, 1  # two voxels of one, four of the other, two in both
    for name, voxels in (("out/masks/x.nii.gz", ours), ("labels/a.nii.gz", truth)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / name)
    index = {"sample": ["s"], "path": ["/d/a.nii.gz"], "predicted_mask": ["masks/x.nii.gz"]}
    pl.DataFrame(index).write_csv(tmp_path / "out" / "index.csv")
    assert scope["dice"](tmp_path / "out", tmp_path / "labels", 1) == [pytest.approx(2 / 3)]


def test_a_format_of_ones_own_keeps_the_contract(tmp_path: Path) -> None:
    scope: dict[str, Any] = {"__name__": "my_masks"}
    exec(titled_blocks(PAGE)["my_masks.py"], scope)
    table = SampleTable(pl.DataFrame({"sample": ["x", "y", "z"], "path": ["/d/a.npy", "/e/a.npy", "/d/a.npy"]}))
    plan = scope["map_files"](table, None)
    check_plan(plan, np.arange(3))
    assert [file.name for file in plan.files] == ["a.npy", "a-2.npy"]
    maps = {0: np.full((2, 3), 7, np.uint8)}
    assert plan.files[0].write(tmp_path / "a.npy", maps) == 1
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), maps[0])


def test_an_assembly_of_ones_own_keeps_the_contract(tmp_path: Path) -> None:
    scope: dict[str, Any] = {"__name__": "my_strips"}
    # Not with the `annotations` of this file: a dataclass looks their names up in an imported module.
    exec(compile(titled_blocks(PAGE)["my_strips.py"], "my_strips.py", "exec", dont_inherit=True), scope)
    model = MapModel("run", ("roof",), (5,))
    made = scope["Sums"]("a.npy", (0, 1), 2)
    first, second = (np.array([[[p, 0.2], [0.9, 0.4]], [[1 - p, 0.8], [0.1, 0.6]]], np.float32) for p in (0.9, 0.3))
    check_plan(MapPlan((made,)), np.arange(2), model)
    assert made.assemble(tmp_path, iter([(0, first), (1, second)]), model).pixels == (2,)
    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), [[0, 5], [0, 5]])
    np.testing.assert_allclose(np.load(tmp_path / made.names(model)[1])[0], [[0.6, 0.2], [0.9, 0.4]], rtol=1e-6)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= made.size(model).files
