"""Provenance of a run: versions, plugins, commit and hashes of the data. It holds no user, host or path."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import torch

from ssl_domains.samples import SampleTable

__all__ = ["data_fingerprint", "environment"]

_PACKAGES = ("ssl-domains", "torch", "timm", "albumentations", "numpy", "polars", "safetensors", "scikit-learn")


def environment(device: torch.device, precision: str, processes: int = 1) -> dict[str, Any]:
    """Versions, plugins, commit and kind of machine, as JSON values."""
    versions = {name: version for name in _PACKAGES if (version := _version(name))}
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        # torch.__version__ contains the build (cpu, cu130); the metadata of the package does not.
        "versions": {**versions, "torch": str(torch.__version__)},
        "plugins": plugin_versions(),
        "commit": source_commit(),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "threads": torch.get_num_threads(),
        "processes": processes,
        "precision": precision,
    }


def plugin_versions() -> dict[str, str]:
    """Version of every installed distribution with a plugin, read from metadata without importing it."""
    versions = {}
    for entry in metadata.entry_points(group="ssl_domains"):
        if entry.dist is not None:
            versions[entry.dist.metadata["Name"]] = entry.dist.version
    return dict(sorted(versions.items()))


def source_commit() -> str | None:
    """Commit of the git checkout that ssl_domains runs from, with ``-dirty`` when changed; None without a checkout."""
    package = Path(__file__).resolve().parents[1]
    # Check a tracked file: an installed package may lie inside the repository of another project.
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit = _git(package, "rev-parse", "HEAD")
    changed = _git(package, "status", "--porcelain", "--untracked-files=no", "--", str(package))
    return f"{commit}-dirty" if commit and changed else commit


def data_fingerprint(table: SampleTable, columns: Iterable[str], edge_files: Iterable[str] = ()) -> dict[str, Any]:
    """Hashes that identify the training rows, as JSON values.

    Args:
        table: The training rows.
        columns: Columns the rule reads.
        edge_files: Edge files the rule reads; a name that is no file is an edge table that the method computes.

    Returns:
        ``rows``, their number; ``samples``, SHA-256 of the sample ids in order; ``columns`` and ``edges``, SHA-256 of
        each column and each edge file the rule reads; ``split``, number of rows in each split, None when the table has
        no column ``split`` (probes are then transductive).
    """
    read = sorted(name for name in columns if name in table.columns)
    split = None
    if "split" in table.columns:
        counts = table.frame["split"].cast(str).fill_null("(none)").value_counts()
        split = {str(name): int(count) for name, count in sorted(counts.iter_rows())}
    return {
        "rows": len(table),
        "samples": _digest(table.frame["sample"].to_list()),
        "columns": {name: _digest(table.frame[name].to_list()) for name in read},
        "edges": [hashlib.sha256(Path(file).read_bytes()).hexdigest() for file in edge_files if Path(file).is_file()],
        "split": split,
    }


def _digest(values: Iterable[Any]) -> str:
    digest = hashlib.sha256()
    for value in values:
        # repr distinguishes 1, "1" and None; the zero byte separates values.
        digest.update(repr(value).encode() + b"\x00")
    return digest.hexdigest()


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
