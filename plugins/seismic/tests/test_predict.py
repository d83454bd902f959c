"""``seismic predict`` from the command line: SEG-Y that lies on the survey, and what an end of the process leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import segyio
from numpy.typing import NDArray

from fine_tuned import fine_tuned
from ssl_domains.cli.app import run as run_command
from ssl_domains.engine import Run
from ssl_domains.finetuning import FineTuned
from ssl_domains.samples import SampleTable, read_table
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.domain import SEISMIC
from ssl_domains_seismic.reader import SeismicReader

from .conftest import grid_words, smooth, write

NAMES = "0=quiet,1=loud,2=deep"
SIDES = (6, 32, 48)
CLASSES = ("quiet", "loud", "deep")


@dataclass(frozen=True)
class World:
    """A run that was fine-tuned on a small survey, cut into patches of 16 × 16 along inlines."""

    folder: Path
    run: Run

    @property
    def survey(self) -> Path:
        return self.folder / "survey.sgy"

    @property
    def model(self) -> FineTuned:
        return FineTuned.open(self.run.folder)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    folder = tmp_path_factory.mktemp("facies")
    cube = smooth(*SIDES)
    labels = (np.abs(cube) > 300).astype(np.uint8)
    labels[:, :, 36:] = 2
    np.save(folder / "labels.npy", labels)
    write_survey(folder / "survey.sgy", cube)
    scan = ["seismic", "scan", folder / "survey.sgy", "-o", folder / "s.parquet", "--patch", 16, "--lines", "189,193"]
    assert run_command([*map(str, scan), "--labels", str(folder / "labels.npy"), "--label-names", NAMES]) == 0
    return World(folder, fine_tuned(SEISMIC, folder / "s.parquet", folder / "run2", steps=20))


def write_survey(path: Path, cube: NDArray[Any], **settings: Any) -> Path:
    """A survey whose headers hold much that no reader of samples needs."""
    rng = np.random.default_rng(1)
    words = grid_words(range(100, 100 + 2 * cube.shape[0], 2), range(300, 300 + 4 * cube.shape[1], 4))
    for word in words:
        word |= {byte: int(rng.integers(10**9)) for byte in (73, 77, 181, 185, 201, 229)}
        word |= {71: -100, 109: 1000, 215: 0}
    return write(path, cube.reshape(-1, cube.shape[2]), words, **settings)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs ``ssl-domains seismic …``; gives the exit code, standard output and standard error."""

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run_command(["seismic", *map(str, words)])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def scanned(source: Path, store: Path, **options: Any) -> tuple[SampleTable, ArrayStore]:
    reader = SeismicReader()
    table = reader.scan(source, **options).samples
    return table, ArrayStore.fill(store, table, reader)


def means_of(model: FineTuned, table: SampleTable, store: ArrayStore, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Mean probabilities ``[K, inline, crossline, sample]`` of samples along inlines; NaN where there is none."""
    sums, counts = np.zeros((3, *shape)), np.zeros(shape)
    for row, found in model.probability_maps(table, store):
        i, _, x0, x1, s0, s1 = table.frame["region"][row].to_list()
        sums[:, i, x0:x1, s0:s1] += found.transpose(0, 2, 1)
        counts[i, x0:x1, s0:s1] += 1
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def trace_headers(path: Path, samples: int, order: str = "big", sample_bytes: int = 4) -> NDArray[np.uint8]:
    rows = np.frombuffer(path.read_bytes()[3600:], np.uint8).reshape(-1, 240 + sample_bytes * samples)
    return rows[:, :240]


def test_classes_are_those_of_the_label_maps(world: World, tmp_path: Path, call: Any) -> None:
    """Patches lie side by side and cover the survey: every sample of the file is that of one label map."""
    code, printed, messages = call("predict", world.run.folder, world.survey, "-o", tmp_path / "out", "--json")
    assert code == 0, messages
    found = json.loads(printed)
    assert (found["samples"], found["files"], found["classes"]) == (36, 4, list(CLASSES))
    assert "of predictions and" in messages
    table, store = scanned(world.survey, tmp_path / "store", patch="16", lines="189,193")
    expected = np.full(SIDES, 255)
    for row, mask in world.model.label_maps(table, store):
        i, _, x0, x1, s0, s1 = table.frame["region"][row].to_list()
        expected[i, x0:x1, s0:s1] = mask.T
    masks = tmp_path / "out" / "masks"
    assert sorted(path.name for path in masks.iterdir()) == [
        "survey.classes.sgy", "survey.p_deep.sgy", "survey.p_loud.sgy", "survey.p_quiet.sgy",
    ]  # fmt: skip
    with segyio.open(masks / "survey.classes.sgy") as file, segyio.open(world.survey) as source:
        np.testing.assert_array_equal(segyio.tools.cube(file), expected)
        assert [dict(header) for header in file.header] == [dict(header) for header in source.header]
        assert set(file.attributes(109)[:]) == {1000}
        assert file.samples.tolist() == source.samples.tolist()
    assert found["counts"] == {name: int((expected == number).sum()) for number, name in enumerate(CLASSES)}
    assert len(np.unique(expected)) > 1
    means = means_of(world.model, table, store, SIDES)
    for number, name in enumerate(CLASSES):
        with segyio.open(masks / f"survey.p_{name}.sgy") as file:
            np.testing.assert_allclose(segyio.tools.cube(file), means[number], atol=1e-6)
    for path in masks.iterdir():
        np.testing.assert_array_equal(trace_headers(path, 48), trace_headers(world.survey, 48))
    index = pl.read_csv(tmp_path / "out" / "index.csv")
    assert index["trained_on"].all()
    assert set(index["predicted_mask"]) == {"masks/survey.classes.sgy"}
    assert {path.name for path in tmp_path.iterdir()} == {"out", "store"}


def test_a_survey_of_another_size_is_covered_to_its_edges(world: World, tmp_path: Path, call: Any) -> None:
    """21 crosslines and 40 samples: patches of 16 overlap at the ends, and nothing is left without a prediction."""
    source = write_survey(tmp_path / "other.sgy", smooth(3, 21, 40, seed=5), order="<", code=1)
    code, printed, messages = call("predict", world.run.folder, source, "-o", tmp_path / "out")
    assert code == 0, messages
    assert "no prediction" not in printed
    table, store = scanned(source, tmp_path / "store", patch="16", lines="189,193", edges=True)
    means = means_of(world.model, table, store, (3, 21, 40))
    assert np.isfinite(means).all()
    with segyio.open(tmp_path / "out/masks/other.classes.sgy", endian="little") as file:
        cube = segyio.tools.cube(file)
    sorted_means = np.sort(means, axis=0)
    clear = sorted_means[-1] - sorted_means[-2] > 1e-5
    np.testing.assert_array_equal(cube[clear], means.argmax(axis=0)[clear])
    assert clear.mean() > 0.99


def test_a_table_is_predicted_as_it_is(world: World, tmp_path: Path, call: Any) -> None:
    """Patches at a stride, of a part of the survey; the rest has no prediction, which is said."""
    options = ("--patch", 16, "--stride", 8, "--lines", "189,193", "--il", "102:106", "--ms", "1040:1140")
    assert call("scan", world.survey, "-o", tmp_path / "part.parquet", *options)[0] == 0
    code, printed, messages = call(
        "predict", world.run.folder, tmp_path / "part.parquet", "-o", tmp_path / "out", "--format", "int8"
    )
    assert code == 0, messages
    table = read_table(tmp_path / "part.parquet")
    store = ArrayStore.fill(tmp_path / "store", table, SeismicReader())
    means = means_of(world.model, table, store, SIDES)
    path = tmp_path / "out/masks/survey.classes.sgy"
    stored = np.frombuffer(path.read_bytes()[3600:], np.dtype([("head", "V240"), ("samples", "i1", (48,))]))
    cube = stored["samples"].reshape(SIDES)
    covered = np.isfinite(means[0])
    np.testing.assert_array_equal(cube == -1, ~covered)
    np.testing.assert_array_equal(cube[covered], means[:, covered].argmax(axis=0))
    assert f"{(~covered).mean():.1%} of it has no prediction (-1, probabilities 0)" in printed
    np.testing.assert_array_equal(trace_headers(path, 48, sample_bytes=1), trace_headers(world.survey, 48))


def test_options_that_can_not_be_kept_are_refused(world: World, tmp_path: Path, call: Any) -> None:
    code, _, messages = call("predict", world.run.folder, world.survey, "-o", tmp_path / "out", "--format", "int7")
    assert code == 2
    assert "error: --format 'int7' can't be written" in messages
    code, _, messages = call(
        "predict", world.run.folder, world.folder / "s.parquet", "-o", tmp_path / "out", "--patch", 8
    )
    assert (code, "--patch is for files" in messages) == (2, True)
    assert not list(tmp_path.iterdir())


_CHILD = """
import os, signal, sys
from ssl_domains.cli.app import run
from ssl_domains_seismic.predictions import segy_maps
written = []
write = segy_maps.write_segy
def ending(path, source, layout, blocks, *words):
    def some():
        for block in blocks:
            if len(written) == 2:
                os.kill(os.getpid(), int(sys.argv[1]))
            yield block
    written.append(path)
    return write(path, source, layout, some(), *words)
segy_maps.write_segy = ending
sys.exit(run(sys.argv[2:]))
"""


def ended(world: World, folder: Path, number: int) -> int:
    """Exit code of ``predict`` in a process that gets a signal while it writes the second file."""
    words = ["seismic", "predict", world.run.folder, world.survey, "-o", folder / "out"]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, str(number), *map(str, words)], env={**os.environ}, check=False
    )
    return done.returncode


def test_a_killed_process_leaves_nothing_that_looks_finished(world: World, tmp_path: Path, call: Any) -> None:
    assert ended(world, tmp_path, signal.SIGKILL) == -signal.SIGKILL
    assert not (tmp_path / "out").exists()
    left = [path.name for path in tmp_path.iterdir()]
    assert all(name.startswith(".") for name in left)
    assert any(tmp_path.rglob("*.classes.sgy")), "it was killed after the first file"
    assert call("predict", world.run.folder, world.survey, "-o", tmp_path / "out")[0] == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"], "what the killed one left is removed"


def test_an_interrupted_process_removes_what_it_wrote(world: World, tmp_path: Path) -> None:
    assert ended(world, tmp_path, signal.SIGINT) == 130
    assert not list(tmp_path.iterdir())


@pytest.mark.shared_data
@pytest.mark.parametrize(
    ("name", "order", "samples"), [("S06", "big", 40), ("S09", "big", 30), ("S16", "big", 30), ("S18", "little", 30)]
)
def test_field_cases_keep_their_headers(
    world: World, shared_data: Path, tmp_path: Path, call: Any, name: str, order: str, samples: int
) -> None:
    folder = shared_data.parent / "cases" / "seismic" / name
    if not folder.is_dir():
        pytest.skip("the cases from the field are not beside the real data sets")
    right = json.loads((folder / "case.json").read_text(encoding="utf-8"))["expected"]
    source = folder / "a.sgy"
    code, _, messages = call("predict", world.run.folder, source, "-o", tmp_path / "out", "--lines", "189,193")
    assert code == 0, messages
    for path in (tmp_path / "out" / "masks").iterdir():
        np.testing.assert_array_equal(trace_headers(path, samples), trace_headers(source, samples))
        old, new = source.read_bytes()[:3600], path.read_bytes()[:3600]
        assert {place // 80 for place in range(3200) if old[place] != new[place]} == {1}
        assert old[3200:] == new[3200:], "the format was IEEE already"
        with segyio.open(path, ignore_geometry=True, endian=order) as file:
            if name == "S06":
                assert set(file.attributes(109)[:]) == {right["t0"]}
                assert (file.samples[0], file.samples[-1]) == (right["t0"], right["t_last"])
    table, store = scanned(source, tmp_path / "store", patch="16", lines="189,193", edges=True, live=0.0)
    lines = SeismicReader().open(table.frame.row(0, named=True)).shape[:3]
    means = means_of(world.model, table, store, lines)
    with segyio.open(tmp_path / "out/masks/a.classes.sgy", ignore_geometry=True, endian=order) as file:
        numbers = [(file.header[k][189], file.header[k][193]) for k in range(file.tracecount)]
        inlines, crosslines = (sorted(set(words)) for words in zip(*numbers, strict=True))
        for k, (inline, crossline) in enumerate(numbers):
            place = means[:, inlines.index(inline), crosslines.index(crossline)]
            clear = np.sort(place, axis=0)[-1] - np.sort(place, axis=0)[-2] > 1e-5
            np.testing.assert_array_equal(file.trace.raw[k][clear], place.argmax(axis=0)[clear])
