"""Predictions of a fine-tuned model by command line: volumes, DICOM series, tables, and what is refused."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import polars as pl
import pytest

from fine_tuned import fine_tuned
from ssl_domains.cli.app import run as run_command
from ssl_domains.finetuning import FineTuned
from ssl_domains.samples import SampleTable, TableMeta, read_table, write_table
from ssl_domains.stores import ArrayStore
from ssl_domains_medical.domain import MEDICAL
from ssl_domains_medical.reader import MedicalReader

Write = Callable[..., Path]
NAMES = "1=bright,2=grey"


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs ``ssl-domains medical …``; gives the exit code, standard output and standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(["medical", *map(str, words)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def write_balls(folder: Path, numbers: Sequence[int], stored: int = 0) -> None:
    """Volumes with a bright ball (class 1) and a grey one (class 2), and their masks; stored along several axes."""
    for number in numbers:
        rng = np.random.default_rng(number)
        shape = rng.integers(10, 16, 3)
        at = np.stack(np.meshgrid(*(np.arange(side) for side in shape), indexing="ij"))
        voxels, labels = rng.normal(0, 0.1, shape), np.zeros(shape, np.uint8)
        for code in (1, 2):
            ball = np.sqrt(((at - rng.integers(3, 8, 3)[:, None, None, None]) ** 2).sum(axis=0)) < 3.5
            voxels[ball], labels[ball] = 3.0 / code, code
        affine = np.diag([-1.0, 1.5, 2.0, 1.0])
        affine[:3, 3] = rng.normal(0, 50, 3)
        turn = np.array([[(axis + stored) % 3, 1 if (number + axis) % 2 else -1] for axis in range(3)])
        for kind, values in (("images", voxels.astype(np.float32)), ("labels", labels)):
            path = folder / kind / f"v{number}.nii.gz"
            path.parent.mkdir(parents=True, exist_ok=True)
            nibabel.save(nibabel.Nifti1Image(values, affine).as_reoriented(turn), path)


@dataclass(frozen=True)
class World:
    """A run fine-tuned on masks of six volumes, and the folder of three others."""

    folder: Path
    run: Path
    samples: Path
    new: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("balls")
    write_balls(folder / "old", range(6))
    write_balls(folder / "new", range(6, 9), stored=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
        words = ("--masks", folder / "old" / "labels", "--mask-names", NAMES, "--axis", "axial")
        scan = ["medical", "scan", folder / "old", "-o", folder / "s.parquet", *words]
        assert run_command([str(word) for word in scan]) == 0
        run = fine_tuned(MEDICAL, folder / "s.parquet", folder / "run", steps=30)
    return World(folder, run.folder, folder / "s.parquet", folder / "new")


Scores = dict[tuple[str, int], float]
"""Dice by volume and class."""


def dice_of_files(out: Path, labels: Path) -> Scores:
    """Dice from the files alone, as a program that knows nothing of the plugin computes it."""
    scores = {}
    with (out / "index.csv").open() as file:
        sources = {row["predicted_mask"]: row["path"] for row in csv.DictReader(file)}
    for mask, path in sources.items():
        predicted, truth = nibabel.load(out / mask), nibabel.load(labels / Path(path).name)
        assert predicted.shape == truth.shape
        np.testing.assert_array_equal(predicted.affine, truth.affine)
        a, b = np.asarray(predicted.dataobj), np.asarray(truth.dataobj)
        for c in (1, 2):
            scores[path, c] = 2 * float(((a == c) & (b == c)).sum() / ((a == c).sum() + (b == c).sum()))
    return scores


def dice_of_model(run: Path, source: Path, labels: Path, store: Path, **options: Any) -> Scores:
    """The same from the model's own masks, slice by slice against the masks that the reader gives."""
    reader = MedicalReader()
    table = reader.scan(source, masks=labels, **options).samples
    both: dict[tuple[str, int], int] = {}
    sizes: dict[tuple[str, int], int] = {}
    rows = table.frame.to_dicts()
    for at, mask in FineTuned.open(run).label_maps(table, ArrayStore.fill(store, table, reader)):
        row, truth = rows[at], reader.load_mask(rows[at])
        for c in (1, 2):
            key = row["path"], c
            both[key] = both.get(key, 0) + int(((mask == c) & (truth == c)).sum())
            sizes[key] = sizes.get(key, 0) + int((mask == c).sum() + (truth == c).sum())
    return {key: 2 * both[key] / sizes[key] for key in both}


def test_volumes_score_the_dice_of_the_model(world: World, tmp_path: Path, call: Any) -> None:
    """The volumes are stored along other axes than the training ones, and cut along the axis of the training."""
    out = tmp_path / "predicted"
    code, printed, messages = call("predict", world.run, world.new, "-o", out)
    assert code == 0, messages
    assert "3 files of masks" in printed
    from_files = dice_of_files(out, world.new / "labels")
    expected = dice_of_model(world.run, world.new, world.new / "labels", tmp_path / "store", axis="axial")
    assert from_files == pytest.approx(expected)
    assert np.mean(list(from_files.values())) > 0.3  # it found the balls: masks that lie elsewhere would not
    assert {path.name for path in tmp_path.iterdir()} == {"predicted", "store"}
    names = [path.name for path in (out / "masks").iterdir()]
    assert not [name for name in names if "v6" in name]
    index = pl.read_csv(out / "index.csv")
    assert sorted(names) == sorted(f"{volume}.nii.gz" for volume in index["volume"].unique())
    assert not index["trained_on"].any()


def test_a_table_is_predicted_from_its_store(world: World, tmp_path: Path, call: Any) -> None:
    code, printed, messages = call("predict", world.run, world.samples, "-o", tmp_path / "out", "--json")
    assert code == 0, messages
    found = json.loads(printed)
    table = read_table(world.samples)
    assert found["samples"] == found["trained_on"] == len(table)
    assert (found["files"], found["task"], found["classes"]) == (6, "segmentation", ["bright", "grey"])
    assert found["left_out"] == {}
    expected = dice_of_model(world.run, world.folder / "old", world.folder / "old/labels", tmp_path / "s", axis="axial")
    assert dice_of_files(tmp_path / "out", world.folder / "old/labels") == pytest.approx(expected)


def test_a_dicom_series_gets_a_volume_in_its_place(world: World, tmp_path: Path, write_dicom: Write, call: Any) -> None:
    rng = np.random.default_rng(0)
    for place in range(4):
        pixels = rng.integers(0, 900, (9, 7)).astype(np.int16)
        write_dicom(
            f"in/{3 - place}.dcm", pixels, ImagePositionPatient=[5, -6, 2.0 * place], PixelSpacing=[0.5, 0.8],
            InstanceNumber=place + 1,
        )  # fmt: skip
    lines = (tmp_path / "in" / "0.dcm").read_bytes()
    (tmp_path / "in" / "cut.dcm").write_bytes(lines[: len(lines) // 2])
    code, printed, messages = call("predict", world.run, tmp_path / "in", "-o", tmp_path / "out")
    assert code == 0, messages
    assert "left out: 1" in printed
    problems = pl.read_csv(tmp_path / "out" / "index.problems.csv")
    assert [Path(path).name for path in problems["path"]] == ["cut.dcm"]
    (mask,) = (tmp_path / "out" / "masks").iterdir()
    volume = nibabel.load(mask)
    assert volume.shape == (7, 9, 4)
    np.testing.assert_allclose(
        volume.affine, [[-0.8, 0, 0, -5], [0, -0.5, 0, 6], [0, 0, 2, 0], [0, 0, 0, 1]], atol=1e-6
    )
    assert set(np.unique(np.asarray(volume.dataobj))) <= {0, 1, 2}
    table = MedicalReader().scan(tmp_path / "in").samples
    store = ArrayStore.fill(tmp_path / "s", table, MedicalReader())
    masks = dict(FineTuned.open(world.run).label_maps(table, store))
    for at, row in enumerate(table.frame.to_dicts()):
        np.testing.assert_array_equal(np.asarray(volume.dataobj)[:, :, row["slice"]].T, masks[at])


def test_a_volume_of_other_channels_is_left_out(world: World, tmp_path: Path, write_nifti: Write, call: Any) -> None:
    grey = np.random.default_rng(0).normal(size=(8, 9, 10)).astype(np.float32)
    write_nifti("in/grey.nii.gz", grey)
    colour = np.zeros((8, 9, 10), dtype=[(name, "u1") for name in "RGB"])
    write_nifti("in/colour.nii.gz", colour)
    code, printed, messages = call("predict", world.run, tmp_path / "in", "-o", tmp_path / "out")
    assert code == 0, messages
    assert "its array has 3 channels, and the model was trained on 1" in printed
    assert len(list((tmp_path / "out" / "masks").iterdir())) == 1
    (tmp_path / "in" / "grey.nii.gz").unlink()
    code, printed, messages = call("predict", world.run, tmp_path / "in", "-o", tmp_path / "none")
    assert code == 4
    assert "none of the samples can be predicted: its array has 3 channels" in messages
    assert not (tmp_path / "none").exists()


def test_what_is_no_model_or_no_source_is_refused_before_the_work(world: World, tmp_path: Path, call: Any) -> None:
    start = world.run.with_name("run.start")
    code, _, messages = call("predict", start, world.new, "-o", tmp_path / "out")
    assert code == 2
    assert "is not fine-tuned" in messages
    assert f"hint: ssl-domains medical finetune SAMPLES --from {start} --label COLUMN --out RUN2" in messages
    code, _, messages = call("predict", world.run, tmp_path / "gone", "-o", tmp_path / "out")
    assert (code, "there is no source" in messages) == (2, True)
    (tmp_path / "empty").mkdir()
    code, _, messages = call("predict", world.run, tmp_path / "empty", "-o", tmp_path / "out")
    assert (code, "holds nothing that medical reads" in messages) == (4, True)
    assert "hint: medical reads DICOM files of any name, NIfTI (.nii, .nii.gz) and pictures (.png, " in messages
    (tmp_path / "empty" / "a.nii.gz").write_bytes(b"no volume")
    code, _, messages = call("predict", world.run, tmp_path / "empty", "-o", tmp_path / "out")
    assert (code, "none of the 1 entries" in messages) == (4, True)
    assert "samples.parquet lists every cause" in messages
    fish = SampleTable(pl.DataFrame({"sample": ["x"], "path": ["x.png"]}), TableMeta("fisheye"))
    write_table(fish, tmp_path / "fish.parquet")
    code, _, messages = call("predict", world.run, tmp_path / "fish.parquet", "-o", tmp_path / "out")
    assert (code, "was scanned by fisheye, not medical" in messages) == (2, True)
    code = run_command(["fisheye", "predict", str(world.run), str(world.new), "-o", str(tmp_path / "out")])
    assert code == 2
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "x").write_text("")
    code, _, messages = call("predict", world.run, world.new, "-o", tmp_path / "there")
    assert (code, "already there" in messages) == (2, True)
    code, _, messages = call("predict", world.run, world.samples, "-o", tmp_path / "out", "--axis", "axial")
    assert (code, "--axis is for files" in messages) == (2, True)
    assert not (tmp_path / "out").exists()


def test_an_option_that_is_given_wins_over_that_of_the_training(world: World, tmp_path: Path, call: Any) -> None:
    shapes = {}
    for name, words in {"as trained": (), "coronal": ("--axis", "coronal")}.items():
        assert call("predict", world.run, world.new, "-o", tmp_path / name, *words)[0] == 0
        index = pl.read_csv(tmp_path / name / "index.csv")
        shapes[name] = index.group_by("path").len().sort("path")["len"].to_list()
    for axis, name in (("axial", "as trained"), ("coronal", "coronal")):
        table = MedicalReader().scan(world.new, axis=axis).samples
        assert shapes[name] == table.frame.group_by("path").len().sort("path")["len"].to_list()
    assert shapes["as trained"] != shapes["coronal"]


def test_answers_of_a_label_are_a_csv(world: World, tmp_path: Path, call: Any) -> None:
    run = fine_tuned(MEDICAL, world.samples, tmp_path / "run", "slice_class")
    code, _, messages = call("predict", run.folder, world.new, "-o", tmp_path / "answers.csv")
    assert code == 0, messages
    found = pl.read_csv(tmp_path / "answers.csv")
    assert found.columns == ["sample", "path", "predicted", "p_bright", "p_grey", "trained_on"]
    np.testing.assert_allclose((found["p_bright"] + found["p_grey"]).to_numpy(), 1)
    bright = found["p_bright"] > found["p_grey"]
    assert (found["predicted"] == "bright").to_list() == bright.to_list()
    table = MedicalReader().scan(world.new, axis="axial").samples
    assert found["sample"].to_list() == table.frame["sample"].to_list()
    store = ArrayStore.fill(tmp_path / "store", table, MedicalReader())
    np.testing.assert_allclose(
        found.select("p_bright", "p_grey").to_numpy(), FineTuned.open(run).answers(table, store), rtol=1e-12
    )
    code, _, messages = call("predict", run.folder, world.new, "-o", tmp_path / "answers.csv")
    assert (code, "already there" in messages) == (2, True)
    assert sorted(path.name for path in tmp_path.glob("*answers*")) == ["answers.csv", "answers.problems.csv"]


@pytest.mark.shared_data
@pytest.mark.slow
def test_hippocampus_volumes_score_the_dice_of_the_model(shared_data: Path, tmp_path: Path, call: Any) -> None:
    with zipfile.ZipFile(shared_data / "medical" / "msd_hippocampus.zip") as archive:
        names = sorted(name for name in archive.namelist() if name.startswith("images/hippo"))[:11]
        for at, name in enumerate(names):
            for part in (name, name.replace("images", "labels")):
                path = tmp_path / ("old" if at < 8 else "new") / part
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(part))
    words = ("--masks", tmp_path / "old" / "labels", "--mask-names", "1=anterior,2=posterior")
    assert call("scan", tmp_path / "old", "-o", tmp_path / "s.parquet", *words)[0] == 0
    few = {"method.head_start": "probe", "train.lr": 3e-4}  # ten steps at the usual rate would undo the probe
    run = fine_tuned(MEDICAL, tmp_path / "s.parquet", tmp_path / "run", steps=10, **few)
    code, printed, messages = call("predict", run.folder, tmp_path / "new", "-o", tmp_path / "out", "--json")
    assert code == 0, messages
    assert json.loads(printed)["files"] == 3
    labels = tmp_path / "new" / "labels"
    found = dice_of_files(tmp_path / "out", labels)
    assert found == pytest.approx(dice_of_model(run.folder, tmp_path / "new", labels, tmp_path / "store"))
    assert np.mean(list(found.values())) > 0.3
