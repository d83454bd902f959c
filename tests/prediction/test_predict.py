"""From a model's answers and masks to files: what stands in them, and what is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from ssl_domains.errors import DataError, PluginError, UsageError
from ssl_domains.finetuning import Task
from ssl_domains.prediction import MapFile, MapPlan, PngMask, answer_frame, predict
from ssl_domains.samples import ReadError, SampleTable, read_table

TABLE = SampleTable(pl.DataFrame({"sample": ["x", "y", "z"], "path": ["/d/x", "/d/y", "/d/z"]}))
TRAINED = np.array([False, True, False])


def test_classes_have_a_probability_each() -> None:
    task = Task("classification", "grade", ("mild", "severe"))
    made = answer_frame(TABLE, np.array([[0.75, 0.25], [0.4, 0.6], [0.5, 0.5]]), task, TRAINED)
    assert made.columns == ["sample", "path", "predicted", "p_mild", "p_severe", "trained_on"]
    assert made["predicted"].to_list() == ["mild", "severe", "mild"]
    assert made["p_severe"].to_list() == [0.25, 0.6, 0.5]
    assert made["trained_on"].to_list() == [False, True, False]


def test_labels_of_a_set_are_named_from_one_half_on() -> None:
    task = Task("multilabel", "signs", ("fluid", "drusen", "scar"))
    answers = np.array([[0.9, 0.5, 0.1], [0.2, 0.4, 0.3], [0.0, 0.0, 0.51]])
    made = answer_frame(TABLE, answers, task, TRAINED)
    assert made["predicted"].to_list() == ["fluid;drusen", "", "scar"]
    assert made["p_scar"].to_list() == [0.1, 0.3, 0.51]


def test_a_number_is_in_the_unit_of_the_label() -> None:
    made = answer_frame(TABLE, np.array([1.5, -2.0, 300.25]), Task("regression", "cst", scale=40.0), TRAINED)
    assert made.columns == ["sample", "path", "predicted", "trained_on"]
    assert made["predicted"].to_list() == [1.5, -2.0, 300.25]


def test_answers_are_one_file_that_reads_as_a_table(pictures: Any) -> None:
    task, out = Task("classification", "light", ("bright", "dark")), pictures.root.parent / "answers.csv"
    model = pictures.model(task, trained=("s1", "elsewhere"))
    found = predict(model, pictures.table, pictures.store, out)
    assert (found.samples, found.trained_on, found.files) == (4, 1, 0)
    table = read_table(out).frame
    assert table["sample"].to_list() == ["s0", "s1", "s2", "s3"]
    means = [float(pictures.array(sample).mean()) / 255 for sample in table["sample"]]
    np.testing.assert_allclose(table["p_bright"].to_numpy(), means)
    assert table["path"].to_list() == pictures.table.frame["path"][:4].to_list()
    assert found.counts == {"bright": sum(m >= 0.5 for m in means), "dark": sum(m < 0.5 for m in means)}
    causes = dict(pl.read_csv(found.problems_file).iter_rows())
    assert found.problems_file == out.with_name("answers.problems.csv")
    assert causes[str(pictures.root / "two.npy")] == "its array has 2 channels, and the model was trained on 1"
    assert set(causes) == {str(pictures.root / name) for name in ("two.npy", "broken.npy")}


def test_masks_are_png_files_with_an_index(pictures: Any, tmp_path: Path) -> None:
    out = tmp_path / "masks of all"
    calls = []
    found = predict(
        pictures.model(trained=("s3",)), pictures.table, pictures.store, out, root=pictures.root,
        progress=lambda done, of: calls.append((done, of)),
    )  # fmt: skip
    assert calls[-1] == (4, 4)
    assert (found.samples, found.files, found.trained_on) == (4, 4, 1)
    index = pl.read_csv(out / "index.csv")
    assert index["predicted_mask"].to_list() == [
        "masks/left/a.png", "masks/left/b.png", "masks/right/a.png", "masks/c.png",
    ]  # fmt: skip
    for row in index.iter_rows(named=True):
        with Image.open(out / row["predicted_mask"]) as picture:
            mask = np.asarray(picture)
        array = pictures.array(row["sample"])[:, :, 0]
        assert mask.shape == array.shape
        assert mask.dtype == np.uint8
        np.testing.assert_array_equal(mask == 3, array < 100)
        np.testing.assert_array_equal(mask == 7, array >= 200)
        assert (row["pixels_sky"], row["pixels_roof"]) == ((array < 100).sum(), (array >= 200).sum())
    assert index["trained_on"].to_list() == [False, False, False, True]
    assert found.counts == {"sky": index["pixels_sky"].sum(), "roof": index["pixels_roof"].sum()}
    assert len(pl.read_csv(out / "index.problems.csv")) == 2


@dataclass(frozen=True)
class Pair(MapFile):
    """Masks of some rows as one text file; needs a third place."""

    fault: str = ""

    def write(self, path: Path, maps: Mapping[int, Any]) -> int:
        if self.fault:
            path.write_text("half a file")
            raise ReadError(self.fault)
        path.write_text(",".join(f"{row}:{int(maps[row].sum())}" for row in sorted(maps)))
        return len(self.rows) - len(maps)


def test_a_domain_plans_files_of_several_rows(pictures: Any, tmp_path: Path) -> None:
    """Rows of a file may lie apart in the table, and those that can't be decoded are missing from it."""
    files = (Pair("x/first.txt", (3, 0)), Pair("second.txt", (4, 1)), Pair("none.txt", (5,)), Pair("third.txt", (2,)))
    found = predict(
        pictures.model(), pictures.table, pictures.store, tmp_path / "out",
        map_files=lambda table, root: MapPlan(files, ("a word of the domain",)),
    )  # fmt: skip
    sums = [int(np.where(a < 100, 3, np.where(a >= 200, 7, 0)).sum()) for a in map(pictures.array, ("s0", "s1", "s3"))]
    masks = tmp_path / "out" / "masks"
    assert (masks / "x/first.txt").read_text() == f"0:{sums[0]},3:{sums[2]}"
    assert (masks / "second.txt").read_text() == f"1:{sums[1]}"
    assert not (masks / "none.txt").exists()
    assert found.files == 3
    assert found.notes == (
        "a word of the domain",
        "1 file has slices without a prediction, which hold 255: second.txt (1)",
    )
    index = pl.read_csv(tmp_path / "out" / "index.csv")
    assert index["sample"].to_list() == ["s0", "s1", "s2", "s3"]
    assert index["predicted_mask"].to_list() == [f"masks/{n}.txt" for n in ("x/first", "second", "third", "x/first")]


def test_a_file_that_can_not_be_written_is_a_problem_of_its_samples(pictures: Any, tmp_path: Path) -> None:
    plan = MapPlan((Pair("a.txt", (0, 1), "the file is gone"), Pair("b.txt", (2, 3, 4, 5))))
    found = predict(
        pictures.model(), pictures.table, pictures.store, tmp_path / "out", map_files=lambda table, root: plan
    )
    assert (found.samples, found.files) == (2, 1)
    assert found.problems.filter(pl.col("cause") == "the file is gone")["path"].to_list() == [
        str(pictures.root / "left" / name) for name in ("a.npy", "b.npy")
    ]
    assert not (tmp_path / "out" / "masks" / "a.txt").exists()
    bad = MapPlan(tuple(replace(file, fault="the file is gone") for file in plan.files))
    with pytest.raises(DataError, match="no mask could be written: the file is gone"):
        predict(pictures.model(), pictures.table, pictures.store, tmp_path / "no", map_files=lambda table, root: bad)
    assert not (tmp_path / "no").exists()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ((PngMask("a.png", (0,)), PngMask("A.png", (1,))), "two files"),
        ((PngMask("../a.png", (0,)),), "no name below a folder"),
        ((PngMask("/a.png", (0,)),), "no name below a folder"),
        ((PngMask("", (0,)),), "no name below a folder"),
        ((PngMask("a.png", (0,)), PngMask("b.png", (0,))), "one sample into two"),
        ((PngMask("a.png", (0,)),), "no file for the masks of 3 samples"),
    ],
)
def test_a_plan_that_would_lose_masks_is_refused(files: Any, message: str, pictures: Any, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match=message):
        predict(
            pictures.model(), pictures.table, pictures.store, tmp_path / "out",
            map_files=lambda table, root: MapPlan(files),
        )  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_what_is_there_is_not_overwritten(pictures: Any, tmp_path: Path) -> None:
    task = Task("classification", "light", ("bright", "dark"))
    answers = tmp_path / "answers.csv"
    answers.write_text("of another model")
    with pytest.raises(UsageError, match="already there"):
        predict(pictures.model(task), pictures.table, pictures.store, answers)
    assert answers.read_text() == "of another model"
    with pytest.raises(UsageError, match="one CSV file") as caught:
        predict(pictures.model(task), pictures.table, pictures.store, tmp_path / "answers")
    assert caught.value.hint == f"-o {tmp_path / 'answers.csv'}"
    (tmp_path / "masks").mkdir()
    (tmp_path / "masks" / "old.png").write_bytes(b"")
    with pytest.raises(UsageError, match="already there"):
        predict(pictures.model(), pictures.table, pictures.store, tmp_path / "masks")
    with pytest.raises(UsageError, match="are no table"):
        predict(pictures.model(Task("detection", "boxes")), pictures.table, pictures.store, tmp_path / "a.csv")


def test_an_interrupted_prediction_leaves_nothing(pictures: Any, tmp_path: Path) -> None:
    before = {path.name for path in tmp_path.iterdir()}

    def interrupt(done: int, of: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        predict(pictures.model(), pictures.table, pictures.store, tmp_path / "out", progress=interrupt)
    assert {path.name for path in tmp_path.iterdir()} == before


def test_nothing_that_the_model_can_take(pictures: Any, tmp_path: Path) -> None:
    rest = pictures.table.take(np.array([4, 5]))
    with pytest.raises(DataError, match=r"none of the samples can be predicted: .*2 channels.*trained on 1"):
        predict(pictures.model(), rest, pictures.store, tmp_path / "out")
    assert not (tmp_path / "out").exists()
