"""The run folder: everything that probing, export or a repetition of the run needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
from torch import Tensor

from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.engine.record.checkpoint import Checkpoints, step_of
from ssl_domains.engine.record.config import RunConfig
from ssl_domains.engine.record.config_file import load_config
from ssl_domains.engine.record.trackers import MetricsFile
from ssl_domains.engine.record.trained_table import trained_table_meta
from ssl_domains.engine.record.weights import load_weights
from ssl_domains.errors import DataError, SslDomainsError, UsageError, disk_is_full
from ssl_domains.samples import TableMeta, Unreadable, alone_in, read_guarded, require_folder, write_errors, write_whole
from ssl_domains.views import (
    Canvas,
    Crop,
    MapPreprocess,
    Preprocess,
    crop_from_dict,
    preprocess_from_dict,
    with_label_maps,
)

__all__ = ["Run"]

T = TypeVar("T")
_NOT_A_RUNS = (AttributeError, KeyError, IndexError, TypeError, ValueError, ArithmeticError, RecursionError)
"""Errors of reading values that are not as a run writes them."""


class Run:
    """A run folder.

    ========================  =============================================================================
    ``config.toml``           the resolved configuration; the run can be repeated from it
    ``environment.json``      versions, plugins, commit, device
    ``data_fingerprint.json`` training rows, hashes of their ids and of the columns the rule reads, splits
    ``training_samples.parquet``  ids and places of the training rows, so that they are known again
    ``table.json``            metadata of the sample table: domain, group of the split, identifiers
    ``preprocess.json``       preprocessing from a native array to the encoder's input
    ``recipe.json``           every view step, with its parameters and reason
    ``fitted.json``           bin edges fitted on the training rows
    ``pairs.json``            inspection of the pairs
    ``metrics.jsonl``         measurements
    ``checkpoints/``          states to resume from
    ``refresh-*.f32``         features of the rows, only during a refresh
    ========================  =============================================================================

    Args:
        folder: The folder; `Run.open` checks that it is a run.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    @classmethod
    def open(cls, folder: str | Path) -> Run:
        """Open a run folder.

        Raises:
            UsageError: When the folder is not a run folder.
        """
        folder = Path(folder)
        if not (folder / "config.toml").is_file():
            raise UsageError(f"{folder} is not a run folder", "a run folder is what `pretrain --out` made")
        return cls(folder)

    @classmethod
    def require_new(cls, folder: str | Path) -> None:
        """Refuse a folder that a new run would overwrite. This is fast; call it before anything is decoded.

        Raises:
            UsageError: When the folder holds a run, or is a file.
        """
        folder = Path(folder)
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{folder} is a file, not a folder", "give another --out")
        if cls(folder).checkpoints.paths():
            raise UsageError(f"{folder} already holds a run", "add --resume to go on with it, or give another --out")

    @classmethod
    @contextmanager
    def alone(cls, folder: str | Path) -> Iterator[None]:
        """Keep other processes from training into the folder, during a block.

        Raises:
            UsageError: When another process does; the message names its process id.
        """
        folder = Path(folder)
        require_folder(folder)
        with alone_in(folder, f"the run {str(folder)!r} is being trained", "give another --out"):
            yield

    @classmethod
    def require_resumable(cls, folder: str | Path) -> None:
        """Refuse to resume a folder without checkpoints.

        Raises:
            UsageError: When the folder holds no checkpoint.
        """
        if not cls(Path(folder)).checkpoints.paths():
            raise UsageError(f"there is nothing to resume in {folder}", "leave --resume out to start a new run")

    def __repr__(self) -> str:
        return f"Run({str(self.folder)!r})"

    @cached_property
    def config(self) -> RunConfig:
        """The resolved configuration."""
        return load_config(self.folder / "config.toml")

    @cached_property
    def preprocess(self) -> Preprocess:
        """The preprocessing from a native array to the encoder's input.

        Raises:
            UsageError: When the run has none, because a command of its own trained it, as `text words` does.
            DataError: When the file can't be read.
        """
        if not (self.folder / "preprocess.json").exists() and (command := self.environment.get("command")):
            raise UsageError(f"the run {self.folder.name!r} has no encoder: `{command}` made it", f"{command} --help")
        return self._read("preprocess.json", preprocess_from_dict)

    @property
    def canvas(self) -> Canvas:
        """The canvas of the run's pictures, and of their label maps.

        Raises:
            UsageError: When the run was not trained on pictures.
        """
        return self.map_preprocess.canvas

    @property
    def map_preprocess(self) -> MapPreprocess:
        """The preprocess, which says where the label map of an array lies in it; raises as `canvas`."""
        return with_label_maps(self.preprocess, f"the run {self.folder.name!r}")

    @cached_property
    def fitted(self) -> dict[str, list[float]]:
        """Bin edges fitted on the training rows, by the text of their key."""
        return self._read("fitted.json", dict)

    @cached_property
    def environment(self) -> dict[str, Any]:
        """Versions, plugins, commit, device."""
        return self._read("environment.json", dict)

    @cached_property
    def data_fingerprint(self) -> dict[str, Any]:
        """Training rows, hashes, splits."""
        return self._read("data_fingerprint.json", dict)

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """Every view step, with its parameters and reason."""
        return self._read("recipe.json", dict)

    @cached_property
    def crop(self) -> Crop | None:
        """The crop of the views: the part of a sample that an encoder of a fixed size sees. None without one."""
        described = self.recipe.get("crop")
        with self.reading("recipe.json"):
            return None if described is None else crop_from_dict(described)

    @cached_property
    def pairs(self) -> dict[str, Any]:
        """The inspection of the pairs, from ``pairs.json``."""
        return self._read("pairs.json", dict)

    @cached_property
    def training_samples(self) -> frozenset[str]:
        """Ids of the samples the encoder was trained on."""
        return frozenset(self.training_rows["sample"].to_list())

    @cached_property
    def training_rows(self) -> pl.DataFrame:
        """Ids of the samples the encoder was trained on, and of which recordings they are; see `training_rows`.

        Raises:
            DataError: When the file is missing or damaged.
        """
        path = self.folder / "training_samples.parquet"
        rows = read_guarded(lambda: _training_rows(path), path)
        if isinstance(rows, Unreadable):
            cause = f"{self.folder} has no readable training_samples.parquet: {rows.cause}"
            raise DataError(cause, "train it again")
        return rows

    @cached_property
    def table_meta(self) -> TableMeta:
        """Metadata of the table that the run was trained on; empty for a run of an earlier version.

        Raises:
            DataError: When ``table.json`` is damaged.
        """
        return trained_table_meta(self.folder)

    @property
    def checkpoints(self) -> Checkpoints:
        """The checkpoints folder."""
        return Checkpoints(self.folder / "checkpoints")

    @property
    def step(self) -> int:
        """Number of steps of the newest checkpoint; −1 when there is none."""
        paths = self.checkpoints.paths()
        return step_of(paths[-1]) if paths else -1

    def metrics(self) -> list[dict[str, Any]]:
        """The measurements, oldest first; see `ssl_domains.engine.loop.monitor` for their keys."""
        return MetricsFile(self.folder / "metrics.jsonl").read()

    def encoder_state(self) -> dict[str, Tensor]:
        """Weights of the encoder in the newest checkpoint, on the CPU.

        Raises:
            UsageError: When there is no checkpoint.
            DataError: When it can't be read.
        """
        method: Mapping[str, Tensor] = self.checkpoints.load()["method"]
        prefix = "encoder."
        with self.checkpoints.damaged():
            return {name.removeprefix(prefix): value for name, value in method.items() if name.startswith(prefix)}

    def encoder(self) -> Encoder:
        """The trained encoder of the newest checkpoint, on the CPU, in evaluation mode.

        Raises:
            UsageError: When there is no checkpoint, or its weights do not fit the architecture of this version.
            DataError: When it can't be read.
        """
        encoder = self.untrained_encoder()
        load_weights(encoder, self.encoder_state(), f"the run {self.folder.name!r}")
        return encoder.eval()

    def untrained_encoder(self, seed: int | None = None) -> Encoder:
        """The same architecture with random weights, by default from the seed of the run: the baseline of probes."""
        config = self.config
        encoder = create_encoder(
            config.encoder.name,
            seed=config.train.seed if seed is None else seed,
            takes=self.preprocess.spec,
            segments=config.encoder.segments,
        )
        return encoder.eval()

    def unfinished_remark(self) -> str:
        """A warning for a run that stopped before its last step; empty for a finished one.

        Raises:
            UsageError: When there is no checkpoint.
            DataError: When it can't be read.
        """
        step, total = self.step, self.checkpoints.total_steps()
        if total is None or step >= total:
            return ""
        if step == 0:
            return f"the run {self.folder.name!r} has initial weights: nothing of its {total:,} steps was trained"
        return f"the run {self.folder.name!r} stopped at step {step:,} of {total:,}"

    def write_json(self, name: str, values: Mapping[str, Any]) -> None:
        """Write a JSON file of the folder; raises as `write_text`."""
        self.write_text(name, json.dumps(values, indent=2, ensure_ascii=False) + "\n")

    def write_text(self, name: str, text: str) -> None:
        """Write a text file of the folder, whole.

        Raises:
            ResourceError: When the disk is full.
            UsageError: When the folder can't be written to.
        """
        path = self.folder / name
        with write_errors(str(path)):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))

    def write_frame(self, name: str, frame: pl.DataFrame) -> None:
        """Write a Parquet file of the folder, whole; raises as `write_text`."""
        path = self.folder / name
        with write_errors(str(path)):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(path, frame.write_parquet)

    @contextmanager
    def reading(self, name: str) -> Iterator[None]:
        """A block that reads the values of a file of the folder: values of another form are the fault of the file.

        Raises:
            DataError: The file doesn't hold what a run writes.
        """
        try:
            yield
        except SslDomainsError:
            raise
        except (OSError, *_NOT_A_RUNS) as error:
            if disk_is_full(error):
                raise
            cause = error.strerror if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            hint = "the run folder is incomplete, or the file was edited: restore it, or train again"
            raise DataError(f"{self.folder / name} can't be read: {cause}", hint) from error

    def _read(self, name: str, make: Callable[[Any], T]) -> T:
        with self.reading(name):
            values = json.loads((self.folder / name).read_text(encoding="utf-8"))
            if not isinstance(values, dict):
                raise TypeError(f"it holds {type(values).__name__}, not an object")
            return make(values)


def _training_rows(path: Path) -> pl.DataFrame:
    rows = pl.read_parquet(path)
    ids = rows["sample"]
    if ids.dtype != pl.String or ids.null_count():
        raise ValueError(f"its sample ids are {ids.dtype}, {ids.null_count()} of them missing")
    return rows.unique("sample", maintain_order=True)
