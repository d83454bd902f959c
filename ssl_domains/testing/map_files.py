"""Checks the files of masks that a domain plans: names, samples, and the first file written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.extending import Domain
from ssl_domains.prediction.mask_plan import check_plan
from ssl_domains.samples import MapAssembly, MapModel, SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import MapPreprocess, Preprocess, map_sides

__all__ = ["check_map_files"]

_MODEL = MapModel("run", ("first class", "second"), (1, 3))


def check_map_files(
    domain: Domain, table: SampleTable, store: ArrayStore, preprocess: Preprocess, data: Path, folder: Path
) -> None:
    """Plan the files of masks for the demo data, and write the first one, of background alone.

    Args:
        domain: The domain.
        table: Its demo data.
        store: Their arrays.
        preprocess: The fitted preprocess, which says the sides of a mask.
        data: Folder of the demo data.
        folder: Where to write.

    Raises:
        PluginError: When the plan would lose masks.
        AssertionError: When the first file isn't written as the contract says.
    """
    for option in domain.map_options:
        assert domain.map_files is not None, f"{option.flag} is for files of masks, and the domain has no map_files"
        assert option.help.strip(), f"{option.flag} says what it does"
    if domain.map_files is None:
        return
    decoded = np.flatnonzero(store.of(table).decoded)
    plan = domain.map_files(table, data)
    check_plan(plan, decoded, _MODEL)
    for file in plan.files:
        rows = np.array(file.rows, dtype=np.int64)
        rows = rows[np.isin(rows, decoded)]
        if not len(rows):
            continue
        names = file.names(_MODEL) if isinstance(file, MapAssembly) else (file.name,)
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
        sides = _sides(preprocess, table.take(rows), store)
        if isinstance(file, MapAssembly):
            needed = file.size(_MODEL)
            made = file.assemble(folder, _background(rows, sides), _MODEL)
            assert made.pixels == (0, 0), (
                "an assembly counts the pixels of each class; of background alone there is none"
            )
            written = sum((folder / name).stat().st_size for name in names if (folder / name).is_file())
            assert needed.files >= written, f"an assembly says its size: {needed.files} bytes, and it wrote {written}"
        else:
            maps = {int(row): np.zeros(side, np.uint8) for row, side in zip(rows, sides, strict=True)}
            missing = file.write(folder / file.name, maps)
            assert missing >= 0, "a file of masks says how many of its places have no prediction"
        for name in names:
            assert (folder / name).is_file(), f"the file of masks {name!r} is written where it is asked to be"
        return


def _sides(preprocess: Preprocess, table: SampleTable, store: ArrayStore) -> NDArray[np.int64]:
    """Height and width of the mask of each row, int64 ``[n, 2]``."""
    assert isinstance(preprocess, MapPreprocess), "a domain that writes masks has a preprocess with `map_axes`"
    return map_sides(preprocess, table, store.of(table).shapes())


def _background(rows: NDArray[np.int64], sides: NDArray[np.int64]) -> Iterator[tuple[int, NDArray[np.float32]]]:
    for row, (height, width) in zip(rows.tolist(), sides.tolist(), strict=True):
        maps = np.zeros((len(_MODEL.outputs), height, width), dtype=np.float32)
        maps[0] = 1
        yield row, maps
