"""The commands that are killed, and what each of them leaves: the smallest real way from pictures to a report."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import children
import cv2
import numpy as np

__all__ = ["STAGES", "Stage", "contents", "leftovers", "make_whole", "workspace"]

_SMALL = {
    "train.batch_size": 8, "train.max_steps": 8, "train.checkpoint_every_steps": 2, "train.warmup_epochs": 0,
    "train.device": "cpu", "head.hidden": 16, "head.out": 8, "views.size": 32, "health.every_steps": 2,
}  # fmt: skip
STUDY = """
name = "kills"
title = "Kills"
about = "Made up."
samples = "samples.parquet"
label = "class"
group = "recording"
seeds = 1
fractions = [1.0]
folds = 2
tuning = 0.34
nuisance = []
[config.train]
max_steps = 2
batch_size = 8
device = "cpu"
[config.views]
size = 32
[config.encoder]
name = "small_conv"
[config.head]
hidden = 16
out = 8
[arms.record]
rule = "same('recording')"
[primary]
arm = "record"
fraction = 1.0
"""

PRETRAIN = ("fisheye", "pretrain", "samples.parquet", "--out", "run", "--encoder", "small_conv",
            *(word for key, value in _SMALL.items() for word in ("--set", f"{key}={value}")))  # fmt: skip


def _pretrain(folder: Path) -> Sequence[str]:
    resumable = any((folder / "run" / "checkpoints").glob("step-*.pt"))
    return (*PRETRAIN, "--resume") if resumable else PRETRAIN


@dataclass(frozen=True)
class Stage:
    """One command.

    Attributes:
        name: Its name.
        needs: Stages whose results it starts from.
        words: Command line for a folder; that of a second start may differ.
        artefacts: Path in the folder → function that gives a text of what it holds, the same after every whole run.
            A path that ends with ``/`` is a folder whose name stands for the whole.
        pause: Part of the name of a file that is opened while the command writes.
        once: Whether a second start is refused where the first one has finished.
    """

    name: str
    needs: tuple[str, ...]
    words: Callable[[Path], Sequence[str]]
    artefacts: Mapping[str, Callable[[Path], str]]
    pause: str = ""
    once: bool = False


def _bytes(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _store(path: Path) -> str:
    """The arrays, by sample; the order in the data file depends on where a filling was interrupted."""
    from ssl_domains.samples import read_table
    from ssl_domains.stores import ArrayStore

    table = read_table(path.parent / "samples.parquet")
    arrays = ArrayStore.open(path).of(table)
    parts = [f"{arrays[row].shape} {_hash(np.ascontiguousarray(arrays[row]).tobytes())}" for row in range(len(table))]
    return _hash("\n".join(parts).encode())


def _run(path: Path) -> str:
    """The weights, optimiser and position of the last checkpoint, and the losses."""
    import torch

    from ssl_domains.engine import Run

    run = Run.open(path)
    state = run.checkpoints.load()
    digest = hashlib.sha256(str(state["step"]).encode())
    for name, value in sorted(state["method"].items()):
        digest.update(name.encode() + value.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    losses = [(line["step"], line.get("loss")) for line in run.metrics()]
    return digest.hexdigest() + json.dumps(losses)


def _study(path: Path) -> str:
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    for name in ("seconds", "environment"):
        values.pop(name, None)
    return _hash(json.dumps(values, sort_keys=True).encode())


def _there(path: Path) -> str:
    """Of a page with times and versions in it: that it is whole."""
    return "whole" if path.read_text(encoding="utf-8").rstrip().endswith("</html>") else "cut off"


def _export(path: Path) -> str:
    names = sorted(one.name for one in path.iterdir())
    return " ".join([*names, _bytes(path / "model.safetensors"), _bytes(path / "preprocess.json")])


def _hash(blob: bytes) -> str:
    return hashlib.sha256(blob).hexdigest()


STAGES = {
    stage.name: stage
    for stage in (
        Stage(
            "scan",
            (),
            lambda folder: ("fisheye", "scan", "tiny", "-o", "samples.parquet", "--split-by", "recording"),
            {"samples.parquet": _bytes, "samples.problems.csv": _bytes},
            ".writing-samples.parquet",
        ),
        Stage(
            "filling",
            ("scan", "run"),
            lambda folder: ("fisheye", "embed", "run", "samples.parquet", "-o", "embeddings.parquet"),
            {"samples.store": _store, "embeddings.parquet": _bytes},
            "arrays-",
        ),
        Stage("pretrain", ("scan", "store"), _pretrain, {"run": _run}, ".writing-step"),
        Stage(
            "probe",
            ("scan", "store", "run"),
            lambda folder: ("fisheye", "probe", "run", "--label", "class"),
            {"run/probe-class.json": _bytes, "run/embeddings.parquet": _bytes},
            ".writing-probe",
        ),
        Stage(
            "study",
            ("scan", "store"),
            lambda folder: ("fisheye", "study", "STUDY.toml", "--out", "study", "--jobs", "1"),
            {"study/results.json": _study, "study/report.html": _there},
            ".writing-step",
        ),
        Stage(
            "export",
            ("scan", "store", "run"),
            lambda folder: ("fisheye", "export", "run", "out", "--format", "safetensors"),
            {"out": _export},
            "README.md",
            once=True,
        ),
        Stage(
            "report",
            ("scan", "store", "run"),
            lambda folder: ("fisheye", "report", "run"),
            {"run/report.html": _there},
            ".writing-report.html",
        ),
    )
}

_MADE_BY = {
    "scan": ("samples.parquet", "samples.problems.csv"),
    "store": ("samples.store",),
    "run": ("run",),
}


def make_pictures(out: Path) -> None:
    """24 pictures of 6 recordings with one object each, in the layout of YOLO, and the study file."""
    rng = np.random.default_rng(0)
    for name in ("images", "labels"):
        (out / "tiny" / name).mkdir(parents=True)
    (out / "tiny" / "classes.txt").write_text("car\nbus\n", encoding="utf-8")
    for number in range(24):
        name, kind = f"rec{number // 4:02d}_{number % 4:04d}", (number // 4 + number) % 2
        picture = rng.integers(0, 255, (48, 48, 3), dtype=np.uint8)
        picture[12:36, 12:36] = (60, 160)[kind]
        (out / "tiny" / "images" / f"{name}.png").write_bytes(cv2.imencode(".png", picture)[1].tobytes())
        (out / "tiny" / "labels" / f"{name}.txt").write_text(f"{kind} 0.5 0.5 0.5 0.5\n", encoding="utf-8")
    (out / "STUDY.toml").write_text(STUDY, encoding="utf-8")


def make_whole(base: Path) -> None:
    """Make everything that a stage may start from, once, in the folder ``base/work``; it is kept as ``base/whole``.

    All work is done in one folder, one trial after the other, as a store knows its files by their whole path.
    """
    work = base / "work"
    work.mkdir()
    make_pictures(work)
    for name in ("scan", "pretrain"):
        ended = children.run(STAGES[name].words(work), work)
        if ended.code:
            raise RuntimeError(f"{name} ended with {ended.code}: {ended.said}")
    work.rename(base / "whole")


def workspace(base: Path, stage: Stage) -> Path:
    """The folder ``base/work``, holding what a stage starts from and nothing else."""
    whole, work = base / "whole", base / "work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    for name in ("tiny", "STUDY.toml", *(name for need in stage.needs for name in _MADE_BY[need])):
        source = whole / name
        # Times of modification are kept: the store compares them.
        shutil.copytree(source, work / name) if source.is_dir() else shutil.copy2(source, work)
    return work


def contents(folder: Path, stage: Stage) -> dict[str, str | None]:
    """What each artefact of a stage holds; None for one that is not there."""

    def found() -> dict[str, str | None]:
        made: dict[str, str | None] = {}
        for name, read in stage.artefacts.items():
            try:
                made[name] = read(folder / name) if (folder / name).exists() else None
            except Exception as error:
                made[name] = f"unreadable: {type(error).__name__}: {error}"
        return made

    found_ones: dict[str, str | None] = children.call(found)
    return found_ones


def leftovers(folder: Path) -> list[str]:
    """Temporary files and locks."""
    kept = {"fill.lock"}
    return sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if (path.name.startswith((".writing", ".scanning", ".lock")) or path.suffix == ".lock")
        and path.name not in kept
    )
