"""From the probabilities of samples to SEG-Y files of a whole survey: right class at each sample, all headers kept."""

from __future__ import annotations

import errno
import os
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
import segyio
from numpy.typing import NDArray

from ssl_domains.errors import ResourceError, UsageError
from ssl_domains.finetuning import Task
from ssl_domains.prediction import Predicted, predict
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains_seismic.domain import SEISMIC
from ssl_domains_seismic.predictions import survey_maps
from ssl_domains_seismic.reader import SeismicReader

from .conftest import grid_words, smooth, write

FACIES = Task("segmentation", "masks", ("shale", "the channel"), (3, 7))
NUMBERS = np.array([0, 3, 7])
Volume = NDArray[np.float64]


@dataclass
class MadeUpModel:
    """Probabilities without a network: a function of the amplitudes of a sample, and of the sample itself."""

    task: Task = FACIES
    salt: int = 0

    @property
    def run(self) -> Any:
        rows = pl.DataFrame({"sample": ["elsewhere"]})
        return SimpleNamespace(preprocess=object(), training_rows=rows, folder=Path("runs/facies"))

    def probability_maps(
        self, table: SampleTable, store: ArrayStore, *, progress: Any = None
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        arrays = store.of(table)
        for row, facts in enumerate(table.frame.to_dicts()):
            yield row, self.answer(np.asarray(arrays[row])[..., 0], facts)
            if progress is not None:
                progress(row + 1, len(table))

    def answer(self, array: NDArray[Any], facts: Mapping[str, Any]) -> NDArray[np.float32]:
        """``[K, H, W]`` of the middle section: time downwards, or inlines downwards of a time slice."""
        axis = ("inline", "crossline", "depth").index(facts["along"])
        section = np.take(array, array.shape[axis] // 2, axis=axis).astype(np.float64)
        picture = section if facts["along"] == "depth" else section.T
        draws = np.random.default_rng([self.salt, *facts["region"]])
        logits = np.stack([picture / 400 * k for k in (0, 1, -1)]) + draws.normal(size=(3, *picture.shape))
        shares = np.exp(logits - logits.max(axis=0))
        return (shares / shares.sum(axis=0)).astype(np.float32)


def assembled(model: MadeUpModel, table: SampleTable, volume: NDArray[Any]) -> tuple[Volume, Volume]:
    """Means of the probabilities ``[K, inline, crossline, sample]`` and numbers of summands, voxel by voxel."""
    sums, counts = np.zeros((3, *volume.shape)), np.zeros(volume.shape)
    for facts in table.frame.to_dicts():
        region = np.array(facts["region"]).reshape(3, 2)
        found = model.answer(volume[tuple(slice(*side) for side in region.tolist())], facts).astype(np.float64)
        axis = ("inline", "crossline", "depth").index(facts["along"])
        middle = int(region[axis].sum() - 1) // 2
        for row in range(found.shape[1]):
            for column in range(found.shape[2]):
                i, x, s = region[:, 0].tolist()
                if axis == 0:
                    place = middle, x + column, s + row
                elif axis == 1:
                    place = i + column, middle, s + row
                else:
                    place = i + row, x + column, middle
                sums[:, *place] += found[:, row, column]
                counts[place] += 1
    return sums / np.maximum(counts, 1), counts


def classes_of(means: Volume, counts: Volume, none: int = 255) -> NDArray[Any]:
    return np.where(counts > 0, NUMBERS[means.argmax(axis=0)], none)


def headers(path: Path, samples: int, sample_bytes: int = 4, first: int = 3600, head: int = 240) -> NDArray[np.uint8]:
    """All bytes of the trace headers, by the definition of the format."""
    contents = np.frombuffer(path.read_bytes()[first:], np.uint8)
    return contents.reshape(-1, head + samples * sample_bytes)[:, :head]


def traces_of(path: Path, endian: str = "big") -> NDArray[Any]:
    with segyio.open(path, ignore_geometry=True, endian=endian) as file:
        return np.array(file.trace.raw[:])


@dataclass
class Survey:
    """What was predicted of one file."""

    table: SampleTable
    volume: NDArray[Any]
    out: Path
    found: Predicted
    model: MadeUpModel

    @property
    def masks(self) -> Path:
        return self.out / "masks"

    def expected(self) -> tuple[Volume, Volume]:
        return assembled(self.model, self.table, self.volume)


Run = Callable[..., Survey]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Scan a file, predict it with the made-up model, and read the volume that the samples were cut from."""

    def made(
        source: Path, format: str | None = None, model: MadeUpModel | None = None, writing: Any = None, **options: Any
    ) -> Survey:
        reader = SeismicReader()
        table = reader.scan(source, **options).samples
        assert len(table)
        store = ArrayStore.fill(tmp_path / "store", table, reader)
        out = tmp_path / f"out-{len(list(tmp_path.iterdir()))}"
        chosen = {} if format is None else {"format": format}
        model = model or MadeUpModel()
        assert SEISMIC.map_files is not None
        found = predict(
            model, table, store, out, root=source.parent,  # type: ignore[arg-type]
            map_files=partial(SEISMIC.map_files, **chosen), writing=writing,
        )  # fmt: skip
        return Survey(table, reader.load(table.frame.row(0, named=True))[..., 0], out, found, model)

    return made


@pytest.mark.parametrize(
    ("options"),
    [
        {},
        {"along": "crossline"},
        {"along": "depth"},
        {"along": "inline", "patch": "10x4"},
        {"along": "inline", "patch": "16x5", "stride": "7x2"},
        {"along": "inline,crossline,depth", "patch": "12x4", "stride": "5x3"},
        {"along": "inline,depth", "patch": "8x4", "stride": "8x3", "channels": 3},
        {"along": "crossline", "patch": "9x3", "il": "102:110", "xl": "308:324", "ms": "20:120"},
    ],
)
def test_files_hold_the_means_of_the_samples(run: Run, make: Any, cube: Any, options: dict[str, Any]) -> None:
    """Compared with sums voxel by voxel; `cube` has 6 inlines, 8 crosslines and 40 samples."""
    survey = run(make(cube), **options)
    means, counts = survey.expected()
    order = sorted(path.name for path in survey.masks.iterdir())
    assert order == ["a.classes.sgy", "a.p_shale.sgy", "a.p_the_channel.sgy"]
    shape = means.shape[1:]
    np.testing.assert_array_equal(traces_of(survey.masks / "a.classes.sgy").reshape(shape), classes_of(means, counts))
    for k, name in ((1, "shale"), (2, "the_channel")):
        found = traces_of(survey.masks / f"a.p_{name}.sgy").reshape(shape)
        np.testing.assert_allclose(found, means[k], atol=1e-6)
        assert (found[counts == 0] == 0).all()
    classes = classes_of(means, counts)
    assert survey.found.counts == {"shale": int((classes == 3).sum()), "the channel": int((classes == 7).sum())}
    assert survey.found.files == 3
    missing = float((counts == 0).mean())
    said = [f"a.classes.sgy: {missing:.1%} of it has no prediction (255, probabilities 0)"] if missing else []
    assert list(survey.found.notes) == said


def test_all_headers_are_those_of_the_source(run: Run, make: Any, cube: Any) -> None:
    rng = np.random.default_rng(0)
    words = grid_words(range(100, 112, 2), range(300, 332, 4))
    for word in words:
        word |= {73: int(rng.integers(9**9)), 77: int(rng.integers(9**9)), 9: int(rng.integers(99)), 71: -100}
        word |= {181: int(rng.integers(9**9)), 185: int(rng.integers(9**9)), 109: 1000, 233: 7, 115: 40}
    source = make(cube, words)
    survey = run(source, lines="189,193")
    for path in survey.masks.iterdir():
        np.testing.assert_array_equal(headers(path, 40), headers(source, 40))
        old, new = source.read_bytes()[:3600], path.read_bytes()[:3600]
        assert old[3200:] == new[3200:]
        lines = [number for number in range(40) if old[80 * number : 80 * number + 80] != new[80 * number :][:80]]
        assert lines == [1]
        shown = new[80:160].decode("cp037")
        what = "CLASS NUMBERS (255: NONE) BY" if "classes" in path.name else "PROBABILITY OF"
        assert shown.startswith(what)
        assert "MODEL facies" in shown
        with segyio.open(path, ignore_geometry=True) as file:
            assert set(file.attributes(109)[:]) == {1000}


@pytest.mark.parametrize(
    ("name", "kind", "code", "none"),
    [("int8", "i1", 8, -1), ("uint8", "u1", 16, 255), ("int16", ">i2", 3, 255), ("int32", ">i4", 2, 255)],
)
def test_classes_of_other_types(run: Run, make: Any, cube: Any, name: str, kind: str, code: int, none: int) -> None:
    source = make(cube)
    survey = run(source, name, patch="16x8")
    path = survey.masks / "a.classes.sgy"
    means, counts = survey.expected()
    assert (counts == 0).any()
    stored = np.frombuffer(path.read_bytes()[3600:], np.dtype([("head", "V240"), ("samples", kind, (40,))]))
    expected = classes_of(means, counts, none).reshape(-1, 40)
    np.testing.assert_array_equal(stored["samples"], expected)
    assert int.from_bytes(path.read_bytes()[3224:3226], "big") == code
    np.testing.assert_array_equal(headers(path, 40, np.dtype(kind).itemsize), headers(source, 40))
    assert f"({none}, probabilities 0)" in survey.found.notes[0]


def test_types_that_do_not_fit_are_refused_before_the_work(run: Run, make: Any, cube: Any, tmp_path: Path) -> None:
    source = make(cube)
    with pytest.raises(UsageError, match="--format 'int9' can't be written") as caught:
        run(source, "int9")
    assert caught.value.hint.startswith("did you mean 'int")
    with pytest.raises(UsageError, match="class number 200 doesn't fit into --format int8"):
        run(source, "int8", MadeUpModel(Task("segmentation", "masks", ("shale", "sand"), (3, 200))))
    assert not list(tmp_path.glob("**/*.classes.sgy"))


def placed(survey: Survey, path: Path, words: list[dict[int, int]], endian: str = "big") -> None:
    """Every live trace has the classes of its line numbers, whatever its place in the file."""
    classes = classes_of(*survey.expected())
    inlines, crosslines = (sorted({word[byte] for word in words}) for byte in (189, 193))
    for trace, word in zip(traces_of(path, endian), words, strict=True):
        expected = classes[inlines.index(word[189]), crosslines.index(word[193])]
        np.testing.assert_array_equal(trace, expected if word.get(29) != 2 else np.full(len(trace), 255))


def decreasing(words: list[dict[int, int]]) -> list[dict[int, int]]:
    return words[::-1]


def crossline_sorted(words: list[dict[int, int]]) -> list[dict[int, int]]:
    return sorted(words, key=lambda word: (word[193], word[189]))


def with_holes(words: list[dict[int, int]]) -> list[dict[int, int]]:
    return [word for number, word in enumerate(words) if number not in (3, 11, 12, 30)]


def with_dead(words: list[dict[int, int]]) -> list[dict[int, int]]:
    return [word | {29: 2 if number in (5, 17, 18) else 1} for number, word in enumerate(words)]


def shuffled(words: list[dict[int, int]]) -> list[dict[int, int]]:
    return [words[number] for number in np.random.default_rng(2).permutation(len(words))]


ARRANGEMENTS = [decreasing, crossline_sorted, with_holes, with_dead, shuffled]


@pytest.mark.parametrize("arranged", ARRANGEMENTS)
def test_traces_keep_their_order_and_place(run: Run, make: Any, arranged: Any) -> None:
    words = arranged(grid_words(range(100, 112, 2), range(300, 332, 4)))
    traces = np.random.default_rng(0).normal(0, 500, (len(words), 40)).astype(np.float32)
    source = make(traces, words)
    survey = run(source, lines="189,193", along="inline,crossline", patch="15x4", stride="11x3", live=0.0)
    path = survey.masks / "a.classes.sgy"
    placed(survey, path, words)
    np.testing.assert_array_equal(headers(path, 40), headers(source, 40))


def test_duplicates_and_outliers_are_kept(run: Run, make: Any) -> None:
    """Two traces of one cell have its prediction; a trace with line numbers far away has none."""
    words = grid_words(range(100, 120), range(300, 320))
    words = [*words[:200], words[7], *words[200:], {189: 999_999, 193: 310}]
    traces = np.random.default_rng(0).normal(0, 500, (len(words), 24)).astype(np.float32)
    source = make(traces, words)
    survey = run(source, lines="189,193")
    found = traces_of(survey.masks / "a.classes.sgy")
    np.testing.assert_array_equal(found[200], found[7])
    assert len(np.unique(found[7])) > 1
    assert (found[-1] == 255).all()
    assert (traces_of(survey.masks / "a.p_shale.sgy")[-1] == 0).all()
    np.testing.assert_array_equal(headers(survey.masks / "a.classes.sgy", 24), headers(source, 24))
    assert survey.found.notes == (
        f"a.classes.sgy: {1 / len(words):.1%} of it has no prediction (255, probabilities 0)",
    )


@pytest.mark.parametrize("settings", [{"order": "<"}, {"code": 1}, {"code": 3}, {"code": 8}, {"code": 2}])
def test_sources_of_other_formats(run: Run, make: Any, settings: dict[str, Any]) -> None:
    cube = np.round(smooth(6, 8, 40) / 20).clip(-127, 127)
    source = make(cube, **settings)
    survey = run(source, lines="189,193")
    path = survey.masks / "a.classes.sgy"
    endian = "little" if settings.get("order") == "<" else "big"
    np.testing.assert_array_equal(traces_of(path, endian).reshape(cube.shape), classes_of(*survey.expected()))
    bytes_of = {3: 2, 8: 1}.get(settings.get("code", 5), 4)
    np.testing.assert_array_equal(headers(path, 40), headers(source, 40, bytes_of))
    with segyio.open(path, ignore_geometry=True, endian=endian) as file:
        assert int(file.format) == 5


def test_extended_headers_are_kept(run: Run, make: Any, cube: Any) -> None:
    between = "((SEG: A STANZA))".ljust(3200).encode("cp037")
    source = make(cube, between=between, binary={3505: ("h", 1)})
    survey = run(source, lines="189,193")
    path = survey.masks / "a.p_shale.sgy"
    assert path.read_bytes()[3600:6800] == between
    np.testing.assert_array_equal(headers(path, 40, first=6800), headers(source, 40, first=6800))


def test_a_two_dimensional_line(run: Run, make: Any) -> None:
    traces = np.random.default_rng(0).normal(size=(30, 24)).astype(np.float32)
    source = make(traces, [{} for _ in range(30)])
    survey = run(source)
    assert survey.volume.shape == (1, 30, 24)
    np.testing.assert_array_equal(traces_of(survey.masks / "a.classes.sgy"), classes_of(*survey.expected())[0])


def test_a_text_header_without_a_blank_line_is_said(run: Run, make: Any, cube: Any) -> None:
    source = make(cube, text=("X" * 80 * 40).encode("cp037"))
    survey = run(source, lines="189,193")
    assert survey.found.notes == ("a.sgy: its text header has no blank line, so none says what the predictions are",)
    assert (survey.masks / "a.classes.sgy").read_bytes()[:3200] == source.read_bytes()[:3200]


@pytest.mark.parametrize(("format", "kind"), [(None, "uint8"), ("int16", "int16"), ("float32", "float32")])
def test_arrays_become_arrays(run: Run, tmp_path: Path, cube: Any, format: str | None, kind: str) -> None:
    np.save(tmp_path / "b.npy", np.asfortranarray(cube))
    survey = run(tmp_path / "b.npy", format, patch="16x5", stride="9x3")
    means, counts = survey.expected()
    found = np.load(survey.masks / "b.classes.npy")
    assert found.dtype == kind
    np.testing.assert_array_equal(found, classes_of(means, counts))
    np.testing.assert_allclose(np.load(survey.masks / "b.p_shale.npy"), means[1], atol=1e-6)
    assert np.load(survey.masks / "b.p_the_channel.npy").dtype == np.float32


def test_writing_reports_bytes_up_to_the_size_of_the_files(
    run: Run, make: Any, cube: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey_maps, "_BLOCK_BYTES", 4 * 40 * 16)  # 16 of the 48 traces
    make(cube, name="data/a.sgy")
    np.save(tmp_path / "data" / "b.npy", cube)
    calls: list[tuple[int, int]] = []
    survey = run(tmp_path / "data", patch="8", writing=lambda done, of: calls.append((done, of)))
    written = sum(path.stat().st_size for path in survey.masks.rglob("*.*"))
    segy = sum(path.stat().st_size for path in survey.masks.rglob("*.sgy"))
    assert [of for _, of in calls] == [written] * 18, "three blocks of each of six files"
    assert [done for done, _ in calls[:9]] == [segy * k // 9 for k in range(1, 10)]
    assert [done for done, _ in calls[9:]] == [segy + (written - segy) * k // 9 for k in range(1, 10)]


def test_several_surveys_of_a_folder(run: Run, make: Any, cube: Any, tmp_path: Path) -> None:
    make(cube, name="north/a.sgy")
    make(-cube, name="south/a.sgy")
    np.save(tmp_path / "north" / "c.npy", cube)
    reader = SeismicReader()
    table = reader.scan(tmp_path, patch="16x5").samples
    store = ArrayStore.fill(tmp_path / "store", table, reader)
    model = MadeUpModel()
    found = predict(
        model, table, store, tmp_path / "out", root=tmp_path, map_files=SEISMIC.map_files  # type: ignore[arg-type]
    )  # fmt: skip
    assert found.files == 9
    index = pl.read_csv(tmp_path / "out" / "index.csv")
    assert index["sample"].to_list() == table.frame["sample"].to_list()
    assert set(index["predicted_mask"]) == {
        "masks/north/a.classes.sgy", "masks/south/a.classes.sgy", "masks/north/c.classes.npy",
    }  # fmt: skip
    facts = table.frame.row(0, named=True)
    region = np.array(facts["region"]).reshape(3, 2).tolist()
    part = cube[tuple(slice(*side) for side in region)]
    best = NUMBERS[model.answer(part if "north" in facts["path"] else -part, facts).argmax(axis=0)]
    assert index.row(0, named=True)["pixels_shale"] == int((best == 3).sum())


def test_a_source_that_is_gone_is_a_problem_of_its_samples(make: Any, cube: Any, tmp_path: Path) -> None:
    make(cube, name="a.sgy")
    gone = make(cube, name="b.sgy")
    reader = SeismicReader()
    table = reader.scan(tmp_path).samples
    store = ArrayStore.fill(tmp_path / "store", table, reader)

    class Deletes(MadeUpModel):
        def probability_maps(self, *words: Any, **named: Any) -> Iterator[Any]:
            yield from super().probability_maps(*words, **named)
            gone.unlink(missing_ok=True)

    found = predict(
        Deletes(), table, store, tmp_path / "out", root=tmp_path, map_files=SEISMIC.map_files  # type: ignore[arg-type]
    )  # fmt: skip
    assert (found.files, found.samples) == (3, 6)
    assert [Path(path).name for path in found.problems["path"]] == ["b.sgy"]
    assert sorted(path.name for path in (tmp_path / "out/masks").iterdir())[0] == "a.classes.sgy"


def test_a_small_disk_is_said_before_the_work(run: Run, make: Any, cube: Any, monkeypatch: Any) -> None:
    source = make(cube)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=50_000))
    with pytest.raises(ResourceError, match=r"68\.4 kB of predictions and 30\.7 kB of temporary files don't fit"):
        run(source)


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EOPNOTSUPP])
def test_space_is_taken_before_the_work(run: Run, make: Any, cube: Any, monkeypatch: Any, fault: int) -> None:
    """A disk that fills up is an error at once; on a file system that can't reserve space, it is filled with zeros."""
    source = make(cube)

    def refused(file: int, start: int, size: int) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, "posix_fallocate", refused)
    if fault == errno.EOPNOTSUPP:
        survey = run(source)
        np.testing.assert_array_equal(
            traces_of(survey.masks / "a.classes.sgy").reshape(cube.shape), classes_of(*survey.expected())
        )
        return
    with pytest.raises(ResourceError, match="the disk is full: the predictions"):
        run(source)
    assert not list(source.parent.glob("*out-*"))


def test_nothing_is_left_of_an_interrupted_prediction(make: Any, cube: Any, tmp_path: Path) -> None:
    source = make(cube)
    reader = SeismicReader()
    table = reader.scan(source).samples
    store = ArrayStore.fill(tmp_path / "store", table, reader)
    before = sorted(path.name for path in tmp_path.iterdir())

    class Interrupted(MadeUpModel):
        def answer(self, array: NDArray[Any], facts: Mapping[str, Any]) -> NDArray[np.float32]:
            if facts["inline_bin"] == 3:
                raise KeyboardInterrupt
            return super().answer(array, facts)

    with pytest.raises(KeyboardInterrupt):
        predict(Interrupted(), table, store, tmp_path / "out", map_files=SEISMIC.map_files)  # type: ignore[arg-type]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_memory_does_not_grow_with_the_survey(tmp_path: Path) -> None:
    """The larger survey has 4.3 million samples: its sums alone would take 52 MB."""
    peaks = []
    for inlines in (30, 90):
        words = grid_words(range(inlines), range(120))
        folder = tmp_path / str(inlines)
        write(folder / "a.sgy", np.ones((len(words), 400), np.float32), words)
        reader = SeismicReader()
        table = reader.scan(folder, lines="189,193", patch="64", along="inline", every=5).samples
        store = ArrayStore.fill(folder / "store", table, reader)
        tracemalloc.start()
        predict(
            MadeUpModel(), table, store, folder / "out", map_files=SEISMIC.map_files  # type: ignore[arg-type]
        )  # fmt: skip
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]
    assert peaks[1] < 40e6
