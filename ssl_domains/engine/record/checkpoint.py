"""Checkpoints of a run: written atomically, loaded without running code, the newest ones kept."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ssl_domains.engine.record.config import RunConfig
from ssl_domains.errors import DataError, ResourceError, UsageError

__all__ = ["Checkpoints", "refuse_other_config"]

_NAME = re.compile(r"step-(\d+)\.pt")
_TEMPORARY = ".writing-"
_FORMAT = 1

# Keys that may change when a run is resumed: places of files and speed, but nothing that changes the result.
_FREE = {
    "data.samples",
    "data.store",
    "data.workers",
    "data.cache_gb",
    "pairs.name",
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

        The file is written under a temporary name, flushed to the disk and renamed: after a crash at any moment, the
        older checkpoints are complete.

        Raises:
            ResourceError: When the disk is full; the older checkpoints are kept.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        final = self.folder / f"step-{step:08d}.pt"
        temporary = self.folder / f"{_TEMPORARY}{final.name}"
        try:
            with open(temporary, "wb") as file:
                torch.save({"format": _FORMAT, "step": step, **state}, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, final)
        except (OSError, RuntimeError) as error:
            # torch's zip writer raises RuntimeError when a write fails.
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            older = self.paths()
            kept = f"the run goes on from {older[-1].name}" if older else "nothing was saved"
            hint = f"free some space, then --resume: {kept}"
            raise ResourceError(f"the checkpoint {final.name} can't be written: {_cause(error)}", hint) from error
        _sync_folder(self.folder)
        for path in self.paths()[: -self.keep]:
            path.unlink(missing_ok=True)
        return final

    def load(self, path: Path | None = None, device: torch.device | str = "cpu") -> dict[str, Any]:
        """Load a checkpoint, by default the newest.

        Raises:
            UsageError: When there is none.
            DataError: When the file can't be read; the hint names the next older checkpoint.
        """
        paths = self.paths()
        if path is None:
            if not paths:
                raise UsageError(f"there is no checkpoint in {self.folder.parent}", "train it first")
            path = paths[-1]
        try:
            state = torch.load(path, map_location=device, weights_only=True)
            if not isinstance(state, dict) or state.get("format") != _FORMAT:
                raise ValueError("not a checkpoint of this version")
        except Exception as error:
            older = [one for one in paths if step_of(one) < step_of(path)]
            hint = f"delete it to go on from {older[-1].name}" if older else "there is no older one: train again"
            raise DataError(f"the checkpoint {path} can't be read: {_cause(error)}", hint) from error
        return state


def refuse_other_config(saved: str, now: RunConfig) -> None:
    """Refuse to resume from a checkpoint of another configuration.

    Args:
        saved: The JSON text of the configuration in the checkpoint.
        now: The configuration of the resumed run.

    Raises:
        UsageError: When a key differs that changes the result; names the first one and both values.
    """
    then = _flat(json.loads(saved))
    # Both configurations pass through JSON, so that equal values compare equal.
    # With BatchNorm over micro-batches, their size changes the result.
    free = _FREE - {"train.micro_batch_size"} if now.train.micro_batch_norm else _FREE
    for key, value in _flat(json.loads(now.model_dump_json())).items():
        if key not in free and then.get(key, value) != value:
            message = f"the checkpoint was made with {key} = {then[key]!r}, not {value!r}"
            back = f"leave {key} unset" if then[key] is None else f"use --set {key}={then[key]}"
            raise UsageError(message, f"{back} to go on, or another --out for a new run")


def step_of(path: Path) -> int:
    """The step in a checkpoint's file name; −1 for another file."""
    match = _NAME.fullmatch(path.name)
    return int(match[1]) if match else -1


def _flat(sections: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{section}.{key}": value for section, keys in sections.items() for key, value in keys.items()}


def _cause(error: BaseException) -> str:
    lines = str(getattr(error, "strerror", None) or error).strip().splitlines()
    return lines[0][:200] if lines else type(error).__name__


def _sync_folder(folder: Path) -> None:
    # The rename is stored in the folder; without this, a power failure could undo it.
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
