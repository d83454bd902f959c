"""The runs of a folder, with how they were trained and what was measured; read without torch.

Runs may lie at any depth, such as those of a study's cells. What lies inside a run, such as the trainings that a
fine-tuning compares itself with, belongs to that run.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssl_domains.engine.record.headlines import Headline, read_headlines
from ssl_domains.errors import DataError, UsageError

__all__ = ["RunFacts", "list_runs"]

_TRACES = ("checkpoints", "data_fingerprint.json", "metrics.jsonl", "training_samples.parquet")
"""Entries of a run folder: with one of them, a folder is a run even where its configuration is gone."""


@dataclass(frozen=True)
class RunFacts:
    """One run of the list.

    Attributes:
        run: Its folder, as a path from the listed folder; ``.`` for that folder itself.
        method: Name of the method; empty where the configuration can't be read.
        rule: The rule, with its controls: own views only, shuffled columns.
        epochs: Planned epochs; None where they are not known.
        steps: Steps of the newest checkpoint or measurement; None without either.
        loss: Last measured loss.
        knn: Last measured online k-NN (``health.label``).
        probes: Main score of each probed label.
        finetuned: Main score of each label that the run was fine-tuned for.
        size: Bytes of all files in the folder.
        damage: Why the folder can't be read whole; empty for a good one.
    """

    run: str
    method: str
    rule: str
    epochs: int | None
    steps: int | None
    loss: float | None
    knn: float | None
    probes: tuple[Headline, ...]
    finetuned: tuple[Headline, ...]
    size: int
    damage: str = ""


def list_runs(folder: str | Path) -> list[RunFacts]:
    """The runs in a folder and in the folders below it, sorted by path; links and hidden folders are passed over.

    A damaged run is listed with its damage.

    Raises:
        UsageError: When there is no such folder, or no run in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise UsageError(f"{folder} {what}", "give a folder with runs, such as what `pretrain --out` wrote to")
    found = [_facts(path, folder) for path in _run_folders(folder)]
    if not found:
        raise UsageError(f"there is no run in {folder}", "a run folder is what `pretrain --out` made")
    return sorted(found, key=lambda one: one.run)


def _run_folders(folder: Path) -> Iterator[Path]:
    for path, folders, files in os.walk(folder):
        if _is_run({*folders, *files}, Path(path)):
            folders.clear()
            yield Path(path)
        else:
            folders[:] = [name for name in folders if not name.startswith(".")]


def _is_run(names: set[str], path: Path) -> bool:
    if not names.isdisjoint(_TRACES[1:]):
        return True
    if "checkpoints" in names and any((path / "checkpoints").glob("step-*.pt")):
        return True
    if "config.toml" not in names:
        return False
    try:  # other programs have files of that name, too
        values = tomllib.loads((path / "config.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return {"method", "pairs", "train"} <= values.keys()


def _facts(path: Path, folder: Path) -> RunFacts:
    damage: list[str] = []
    config: dict[str, Any] = {}
    try:
        config = tomllib.loads((path / "config.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        damage.append("config.toml is missing: the run ended before its first step, or the file was removed")
    except (OSError, ValueError, RecursionError) as error:
        damage.append(f"config.toml can't be read: {error}")
    method, rule, epochs = _configured(config, damage)
    last = _last_measurement(path / "metrics.jsonl", damage)
    return RunFacts(
        run=path.relative_to(folder).as_posix(),
        method=method,
        rule=rule,
        epochs=epochs,
        steps=_steps(path / "checkpoints", last),
        loss=_number(last.get("loss")),
        knn=_number(last.get("knn")),
        probes=_scores(path, "probe", damage),
        finetuned=_scores(path, "finetune", damage),
        size=sum(_sizes(path)),
        damage="; ".join(" ".join(text.split()) for text in damage),
    )


def _configured(config: Mapping[str, Any], damage: list[str]) -> tuple[str, str, int | None]:
    """(method, rule with its controls, epochs)."""
    if not config:
        return "", "", None
    try:
        pairs, method = config["pairs"], str(config["method"]["name"])
        controls = ["own views only"] if pairs.get("relations") == "none" else []
        if "shuffle_metadata" in pairs:
            controls.append(f"shuffled {pairs['shuffle_metadata']}")
        epochs = config["train"]["epochs"]
        return method, ", ".join([str(pairs["rule"]), *controls]), epochs if type(epochs) is int else None
    except (KeyError, TypeError, AttributeError) as error:
        damage.append(f"config.toml is not of a run: {type(error).__name__}: {error}")
        return "", "", None


def _last_measurement(path: Path, damage: list[str]) -> dict[str, Any]:
    """The last complete line of ``metrics.jsonl``; a run of 0 epochs has none."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        damage.append(f"{path.name} can't be read: {error.strerror}")
        return {}
    for text in reversed(lines):
        try:
            values = json.loads(text)
        except (ValueError, RecursionError):  # the unfinished line of a killed run
            continue
        if isinstance(values, dict) and type(values.get("step")) is int:
            return values
    if lines:
        damage.append(f"{path.name} holds no measurement")
    return {}


def _steps(checkpoints: Path, last: Mapping[str, Any]) -> int | None:
    names = [path.stem.removeprefix("step-") for path in checkpoints.glob("step-*.pt")]
    steps = [int(name) for name in names if name.isdecimal()]
    return max(steps) if steps else last.get("step")


def _scores(path: Path, kind: str, damage: list[str]) -> tuple[Headline, ...]:
    try:
        return tuple(read_headlines(path, kind))
    except DataError as error:
        damage.append(error.message)
        return ()


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _sizes(path: Path) -> Iterator[int]:
    for folder, _, names in os.walk(path):
        for name in names:
            try:
                yield os.lstat(os.path.join(folder, name)).st_size
            except OSError:  # removed meanwhile, such as a checkpoint of a run in progress
                continue
