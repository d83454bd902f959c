"""Files of reports in a run's folder: one JSON file for each label, such as ``probe-severity.json``."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ssl_domains.errors import DataError
from ssl_domains.samples import write_errors, write_whole

__all__ = ["read_reports", "report_path", "write_report"]

T = TypeVar("T")


def report_path(folder: str | Path, kind: str, label: str) -> Path:
    """Path of the report of a kind (``probe``, ``finetune``) on a label in a run's folder."""
    return Path(folder) / f"{kind}-{re.sub(r'[^0-9A-Za-z_.-]+', '_', label)}.json"


def write_report(path: Path, values: Mapping[str, Any]) -> Path:
    """Write a report, whole, and return its path.

    Raises:
        ResourceError: When the disk is full.
        UsageError: When the folder can't be written to.
    """
    text = json.dumps(values, indent=2, ensure_ascii=False) + "\n"
    with write_errors(f"the report {str(path)!r}"):
        write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
    return path


def read_reports(folder: str | Path, kind: str, make: Callable[[Mapping[str, Any]], T], hint: str) -> list[T]:
    """Read all reports of a kind in a run's folder, sorted by file name.

    Args:
        folder: The run's folder.
        kind: ``probe`` or ``finetune``.
        make: Makes the report from the JSON values.
        hint: How a damaged report is made anew.

    Raises:
        DataError: When a file can't be read.
    """
    reports = []
    for path in sorted(Path(folder).glob(f"{kind}-*.json")):
        try:
            reports.append(make(json.loads(path.read_text(encoding="utf-8"))))
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise DataError(f"{path.name} can't be read: {error}", hint) from error
    return reports
