"""Files that are put together from the probabilities of many samples: order, sizes, counts and what is refused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image

from ssl_domains.errors import PluginError, ResourceError
from ssl_domains.prediction import Assembled, AssemblySize, MapAssembly, MapModel, MapPlan, PngMask, predict
from ssl_domains.samples import ReadError

Maps = Iterable[tuple[int, Any]]


@dataclass(frozen=True)
class Listing(MapAssembly):
    """Writes which rows came, in which order, and their largest probability; and a file for each class."""

    fault: str = ""
    bytes: int = 10

    def names(self, model: MapModel) -> tuple[str, ...]:
        return (self.name, *(f"{self.name}-{name}" for name in model.classes))

    def size(self, model: MapModel) -> AssemblySize:
        return AssemblySize(3 * self.bytes, 2 * self.bytes)

    def assemble(self, folder: Path, maps: Maps, model: MapModel, progress: Any = None) -> Assembled:
        lines = []
        for row, probabilities in maps:
            assert probabilities.shape[0] == len(model.outputs)
            assert probabilities.dtype == np.float32
            lines.append(f"{row}:{probabilities.max():.1f}")
            if self.fault:
                (folder / self.name).write_text("half a file")
                raise ReadError(self.fault)
        for name in self.names(model):
            (folder / name).write_text(f"{model.name}: {' '.join(lines)}")
            if progress is not None:
                progress(self.bytes, 2 * self.bytes)
        return Assembled((5, 6), ("half of it",))


def predicted(pictures: Any, folder: Path, *files: Any, **more: Any) -> Any:
    plan = MapPlan(files)
    return predict(pictures.model(), pictures.table, pictures.store, folder, map_files=lambda table, root: plan, **more)


def test_maps_come_one_at_a_time_in_the_order_of_the_assembly(pictures: Any, tmp_path: Path) -> None:
    """Row 4 has two channels and can't be predicted; files of one mask may stand between assemblies."""
    calls: list[tuple[int, int]] = []
    said: list[str] = []
    written: list[tuple[int, int]] = []
    found = predicted(
        pictures, tmp_path / "out", Listing("x/first", (3, 4, 0)), PngMask("b.png", (1,)), Listing("second", (2,)),
        Listing("none", (5,)), progress=lambda done, of: calls.append((done, of)), notice=said.append,
        writing=lambda done, of: written.append((done, of)),
    )  # fmt: skip
    masks = tmp_path / "out" / "masks"
    for name in ("x/first", "x/first-sky", "x/first-roof"):
        assert (masks / name).read_text() == "run: 3:0.8 0:0.8"
    assert (masks / "second").read_text() == "run: 2:0.8"
    assert not (masks / "none").exists()
    assert (found.samples, found.files) == (4, 7)
    assert found.notes == ("half of it", "half of it")
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert written == [(15, 90)] * 3 + [(45, 90)] * 3, "each says half of its 30 bytes; the first one counts whole then"
    assert said == ["writing 90 B of predictions and 20 B of temporary files"]
    index = pl.read_csv(tmp_path / "out" / "index.csv")
    assert index["predicted_mask"].to_list() == [f"masks/{name}" for name in ("x/first", "b.png", "second", "x/first")]
    for row in index.iter_rows(named=True):
        array = pictures.array(row["sample"])[:, :, 0]
        assert (row["pixels_sky"], row["pixels_roof"]) == ((array < 100).sum(), (array >= 200).sum())
    with Image.open(masks / "b.png") as picture:
        mask = np.asarray(picture)
    assert found.counts == {"sky": int((mask == 3).sum()) + 10, "roof": int((mask == 7).sum()) + 12}


def test_an_assembly_that_fails_leaves_no_file(pictures: Any, tmp_path: Path) -> None:
    files = Listing("a", (0, 1), "the grid is gone"), Listing("b", (2, 3, 4, 5))
    found = predicted(pictures, tmp_path / "out", *files)
    assert (found.samples, found.files) == (2, 3)
    assert found.problems.filter(pl.col("cause") == "the grid is gone")["path"].to_list() == [
        str(pictures.root / "left" / name) for name in ("a.npy", "b.npy")
    ]
    assert sorted(path.name for path in (tmp_path / "out" / "masks").iterdir()) == ["b", "b-roof", "b-sky"]
    assert pl.read_csv(tmp_path / "out" / "index.csv")["sample"].to_list() == ["s2", "s3"]


def test_a_name_of_any_of_its_files_is_checked(pictures: Any, tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="two files of masks 'a-sky'"):
        predicted(pictures, tmp_path / "out", Listing("a", (0, 1, 2)), PngMask("a-sky", (3,)))
    with pytest.raises(PluginError, match="one sample into two"):
        predicted(pictures, tmp_path / "out", Listing("a", (0, 1, 2)), Listing("b", (2, 3)))
    assert not (tmp_path / "out").exists()


def test_what_does_not_fit_on_the_disk_is_said_before_the_work(pictures: Any, tmp_path: Path, monkeypatch: Any) -> None:
    """Temporary files of one assembly at a time: 300 + 600 bytes of files and 400 of the larger temporary ones."""
    files = Listing("a", (0, 1), bytes=100), Listing("b", (2, 3), bytes=200)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1300))
    predicted(pictures, tmp_path / "fits", *files)
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=1299))
    calls: list[int] = []
    with pytest.raises(ResourceError, match="900 B of predictions and 400 B of temporary files don't fit"):
        predicted(pictures, tmp_path / "out", *files, progress=lambda done, of: calls.append(done))
    assert not calls
    assert not (tmp_path / "out").exists()
