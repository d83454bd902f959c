"""What the product itself wrote: run folder, store, the journal of a scan, the folder of a study."""

from __future__ import annotations

import resource
import shutil
import signal
from pathlib import Path

from fuzzing.kind import READ, Command, Kind, Plan
from fuzzing.kinds.settings import make_study
from fuzzing.kinds.shared import SMALL, command_line
from fuzzing.mutations.archive import ZIP
from fuzzing.mutations.frame import parquet_frame, parquet_metadata
from fuzzing.mutations.raw import RAW
from fuzzing.mutations.text import TEXT
from fuzzing.mutations.tree import JSON, TOML, json_lines_tree

__all__ = ["KINDS"]

_CODES = frozenset({0, 2, 3, 4, 5})
_DAMAGE = (*RAW, *TEXT, *JSON * 3, *TOML * 3, *(json_lines_tree,) * 9, *(parquet_frame,) * 9, parquet_metadata, *ZIP)


def _table(case: Path, shared: Path) -> None:
    shutil.copytree(shared / "in", case / "in")
    shutil.copy(shared / "samples.parquet", case)


def make_run(folder: Path, shared: Path) -> None:
    """A run folder beside the table that it was trained on."""
    _table(folder / "small", shared)
    shutil.copytree(shared / "samples.store", folder / "small" / "samples.store")
    shutil.copytree(shared / "run", folder / "small" / "run")


def make_store(folder: Path, shared: Path) -> None:
    """A filled store beside its table; and one whose filling a full disk cut off, with its journal."""
    for case in ("filled", "stopped"):
        _table(folder / case, shared)
    shutil.copytree(shared / "samples.store", folder / "filled" / "samples.store")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4_000, hard))
    try:
        command_line(f"medical embed {shared}/run samples.parquet -o embeddings.parquet", folder / "stopped", code=5)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def make_journal(folder: Path, shared: Path) -> None:
    """Pictures, and the journal of a scan of them that ended before its table was written."""
    case = folder / "small"
    shutil.copytree(shared / "in", case / "in")
    shutil.copy(shared / "labels.csv", case)
    command_line("medical scan in -o out.parquet --join labels.csv --on nothing", case, code=2)


def make_study_folder(folder: Path, shared: Path) -> None:
    """The folder of a finished study."""
    make_study(folder, shared)
    command_line("medical study STUDY.toml --out out --jobs 1", folder / "small")


KINDS = (
    Kind(
        "run",
        make_run,
        ("run/*", "run/checkpoints/*"),
        _DAMAGE,
        (
            Plan((Command("medical embed run samples.parquet -o embeddings.parquet", _CODES),), 6),
            Plan((Command("medical export run model --format safetensors", _CODES),), 4),
            Plan((Command("medical probe run --label class --group person", _CODES),), 1),
            Plan((Command("medical report run", _CODES),), 1),
            Plan((Command("splits audit samples.parquet --split split --group person --pretraining run", _CODES),), 2),
            Plan(
                (Command("medical pairs samples.parquet --rule same('person') --html page.html --run run", _CODES),), 1
            ),
            Plan((Command(f"medical pretrain samples.parquet --out run --resume {SMALL}", _CODES),), 3),
            Plan((Command(f"medical pretrain samples.parquet --out new --init run --dry-run {SMALL}", _CODES),), 1),
        ),
        whole=True,
    ),
    Kind(
        "store",
        make_store,
        ("samples.store/*",),
        _DAMAGE,
        (
            Plan((Command("medical embed {base}/run samples.parquet -o embeddings.parquet"),), 3),
            Plan((Command(f"medical pretrain samples.parquet --out run --dry-run {SMALL}"),), 1),
        ),
        whole=True,
    ),
    Kind(
        "scan_journal",
        make_journal,
        (".scanning-*",),
        (*RAW, *TEXT, *(json_lines_tree,) * 12),
        (Plan((Command("medical scan in -o out.parquet", READ, "out.parquet"),)),),
        ("in/*.png",),
    ),
    Kind(
        "study_folder",
        make_study_folder,
        ("out/*", "out/*/*", "out/*/*/*"),
        _DAMAGE,
        (Plan((Command("medical study STUDY.toml --out out --jobs 1", _CODES),)),),
        whole=True,
    ),
)
