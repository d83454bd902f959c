"""Checkpoints of a run: written atomically, loaded without running code, the newest ones kept."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ssl_domains.engine.record.config import RunConfig
from ssl_domains.errors import DataError, SslDomainsError, UsageError, disk_is_full
from ssl_domains.samples import write_errors, write_whole

__all__ = ["Checkpoints", "OtherConfigError", "OtherSamplesError", "refuse_other_config", "step_of"]

_NAME = re.compile(r"step-(\d+)\.pt")
_TEMPORARY = ".writing-"
_FORMAT = 1
_NEEDED = ("step", "method")

# Keys that may change when a run is resumed: places of files and speed, but nothing that changes the result.
_FREE = {
    "data.samples",
    "data.store",
    "data.workers",
    "data.cache_gb",
    "pairs.name",
    "pairs.anyway",
    "train.device",
    "train.micro_batch_size",
    "train.checkpoint_every_steps",
    "train.keep",
    "train.trackers",
    "health.every_steps",
}


@dataclass(frozen=True)
class Checkpoints:
    """The ``checkpoints`` folder of a run: ``step-00000120.pt`` holds the state after 120 steps.

    Attributes:
        folder: The folder; created by the first `save`.
        keep: Number of checkpoints to keep.
    """

    folder: Path
    keep: int = 2

    def paths(self) -> list[Path]:
        """Complete checkpoints, oldest first."""
        if not self.folder.is_dir():
            return []
        complete = [path for path in self.folder.iterdir() if _NAME.fullmatch(path.name)]
        return sorted(complete, key=lambda path: step_of(path))

    def clean(self) -> None:
        """Remove unfinished files of a killed process."""
        if self.folder.is_dir():
            for path in self.folder.glob(f"{_TEMPORARY}*"):
                path.unlink(missing_ok=True)

    def save(self, step: int, state: Mapping[str, Any]) -> Path:
        """Write the state after ``step`` steps, then remove the oldest checkpoints until `keep` are left.

        The file is written by `write_whole`: after a crash at any moment, the older checkpoints are complete.

        Raises:
            ResourceError: When the disk is full; the older checkpoints are kept.
            UsageError: When the folder can't be written to.
        """
        final = self.folder / f"step-{step:08d}.pt"
        older = self.paths()
        kept = f"--resume: the run goes on from {older[-1].name}" if older else "start again: nothing was saved"
        with write_errors(f"the checkpoint {final.name}", kept):
            self.folder.mkdir(parents=True, exist_ok=True)
            write_whole(final, lambda part: _save({"format": _FORMAT, "step": step, **state}, part))
        for path in self.paths()[: -self.keep]:
            path.unlink(missing_ok=True)
        return final

    def load(
        self, path: Path | None = None, device: torch.device | str = "cpu", *, mapped: bool = False
    ) -> dict[str, Any]:
        """Load a checkpoint, by default the newest.

        Args:
            path: The file; None takes the newest.
            device: Device of the tensors.
            mapped: Map the file instead of reading its tensors, for a look at small values.

        Raises:
            UsageError: When there is none.
            DataError: When the file can't be read; the hint names the next older checkpoint.
        """
        paths = self.paths()
        if path is None:
            if not paths:
                raise UsageError(f"there is no checkpoint in {self.folder.parent}", "train it first")
            path = paths[-1]
        with self.damaged(path):
            state = torch.load(path, map_location=device, weights_only=True, mmap=mapped)
            if not isinstance(state, dict) or state.get("format") != _FORMAT:
                raise ValueError("not a checkpoint of this version")
            missing = [name for name in _NEEDED if name not in state]
            if missing:
                raise ValueError(f"it has no {missing[0]!r}")
        return state

    def total_steps(self) -> int | None:
        """Steps that the run was planned to have, by the newest checkpoint; None when it doesn't say.

        Raises:
            UsageError: When there is no checkpoint.
            DataError: When it can't be read.
        """
        schedule = self.load(mapped=True).get("schedule")
        total = schedule.get("total_steps") if isinstance(schedule, dict) else None
        return total if isinstance(total, int) else None

    @contextmanager
    def damaged(self, path: Path | None = None) -> Iterator[None]:
        """A block that reads a checkpoint, by default the newest: what fails in it is the fault of the file.

        Raises:
            DataError: The file can't be read; the hint names the next older checkpoint.
        """
        path = self.paths()[-1] if path is None else path
        try:
            yield
        except (SslDomainsError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as error:
            if disk_is_full(error):
                raise
            older = [one for one in self.paths() if step_of(one) < step_of(path)]
            hint = f"delete it to go on from {older[-1].name}" if older else "there is no older one: train again"
            raise DataError(f"the checkpoint {path} can't be read: {_cause(error)}", hint) from error


class OtherConfigError(UsageError):
    """The run to resume was started with another configuration or other views."""


class OtherSamplesError(DataError):
    """The run to resume was started with other samples."""


def refuse_other_config(saved: str, now: RunConfig) -> None:
    """Refuse to resume from a checkpoint of another configuration.

    Args:
        saved: The JSON text of the configuration in the checkpoint.
        now: The configuration of the resumed run.

    Raises:
        OtherConfigError: When a key differs that changes the result; names the first one and both values.
    """
    then = _flat(json.loads(saved))
    # Both configurations pass through JSON, so that equal values compare equal.
    # With BatchNorm over micro-batches, their size changes the result.
    free = _FREE - {"train.micro_batch_size"} if now.train.micro_batch_norm else _FREE
    for key, value in _flat(json.loads(now.model_dump_json())).items():
        if key not in free and then.get(key, value) != value:
            message = f"the checkpoint was made with {key} = {then[key]!r}, not {value!r}"
            back = f"leave {key} unset" if then[key] is None else f"use --set {key}={then[key]}"
            raise OtherConfigError(message, f"{back} to go on, or another --out for a new run")


def step_of(path: Path) -> int:
    """The step in a checkpoint's file name; −1 for another file."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else -1


def _flat(sections: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, keys in sections.items() for key, value in keys.items()}


def _cause(error: BaseException) -> str:
    lines = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _save(state: Mapping[str, Any], path: Path) -> None:
    with open(path, "wb") as file:
        torch.save(state, file)
