"""What a run writes down about where it came from: versions, plugins, commit, data. No user, no host, no path."""

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
    """Versions, plugins, commit and machine kind, JSON-able."""
    versions = {name: version for name in _PACKAGES if (version := _version(name))}
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
        # torch's own word names its build (cpu, cu130); the package's metadata does not.
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
    """Version of every installed distribution that offers a plugin; read from metadata, nothing is imported."""
    found = {}
    for entry in metadata.entry_points(group="ssl_domains"):
        if entry.dist is not None:
            found[entry.dist.metadata["Name"]] = entry.dist.version
    return dict(sorted(found.items()))


def source_commit() -> str | None:
    """Commit of the checkout that ssl_domains runs from, ``-dirty`` when changed; None when it isn't one."""
    package = Path(__file__).resolve().parents[1]
    # Asked of a tracked file, as an installed package may well lie inside somebody else's repository.
    if _git(package, "ls-files", "--error-unmatch", "__init__.py") is None:
        return None
    commit = _git(package, "rev-parse", "HEAD")
    changed = _git(package, "status", "--porcelain", "--untracked-files=no", "--", str(package))
    return f"{commit}-dirty" if commit and changed else commit


def data_fingerprint(table: SampleTable, columns: Iterable[str], edge_files: Iterable[str] = ()) -> dict[str, Any]:
    """Identity of the training rows, JSON-able.

    Args:
        table: The training rows.
        columns: Columns the rule reads.
        edge_files: Edge files the rule reads; a name that is no file stands for a table that the method computes.

    Returns:
        ``rows``, SHA-256 of the sample ids in order, of each column the rule reads and of each edge file, and the rows
        of each split (None when the table has no column ``split``: whatever is probed later is then transductive).
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
        # repr tells 1 from "1" from None, and every value ends where the next begins.
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
