"""Checks of the files that a domain plans, before any mask is computed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import PluginError, ResourceError
from ssl_domains.quantities import data_size, plural
from ssl_domains.samples.writing.map_files import MapAssembly, MapModel, MapPlan

__all__ = ["check_plan", "require_space"]


def check_plan(plan: MapPlan, rows: NDArray[np.int64], model: MapModel | None = None) -> None:
    """Refuse a plan that would lose masks.

    Args:
        plan: The files.
        rows: Rows that will have a mask.
        model: Names the classes, by which an assembly names its files; None checks the first file of each alone.

    Raises:
        PluginError: When a name repeats or leads out of the folder, or a row is in two files or in none.
    """
    hint = "see the contract of map_files in ssl_domains.prediction"
    names: set[str] = set()
    taken: set[int] = set()
    for file in plan.files:
        several = isinstance(file, MapAssembly) and model is not None
        for name in file.names(model) if several else (file.name,):  # type: ignore[union-attr, arg-type]
            parts = PurePosixPath(name).parts
            if not parts or ".." in parts or PurePosixPath(name).is_absolute() or "\\" in name:
                raise PluginError(f"the domain names a file of masks {name!r}: no name below a folder", hint)
            if name.casefold() in names:
                raise PluginError(f"the domain names two files of masks {name!r}", hint)
            names.add(name.casefold())
        if taken & set(file.rows):
            raise PluginError(f"the domain puts one sample into two files of masks, the second is {file.name!r}", hint)
        taken.update(file.rows)
    lost = set(rows.tolist()) - taken
    if lost:
        raise PluginError(f"the domain names no file for the masks of {plural(len(lost), 'sample')}", hint)


def require_space(plan: MapPlan, model: MapModel, folder: Path) -> Iterator[str]:
    """Check that the assemblies of a plan fit on the disk; yields a sentence that says how large they are.

    Assemblies are written one after the other, so one set of temporary files is there at a time.

    Raises:
        ResourceError: When the disk of the folder has less space.
        UsageError: When the classes don't fit into a file.
    """
    sizes = [file.size(model) for file in plan.files if isinstance(file, MapAssembly)]
    if not sizes:
        return
    written, temporary = sum(size.files for size in sizes), max(size.temporary for size in sizes)
    free = shutil.disk_usage(folder).free
    needed = f"{data_size(written)} of predictions and {data_size(temporary)} of temporary files"
    if written + temporary > free:
        cause = f"{needed} don't fit on the disk, which has {data_size(free)} free"
        raise ResourceError(cause, "free some space, choose another disk, or predict a part of the volume")
    yield f"writing {needed}"
