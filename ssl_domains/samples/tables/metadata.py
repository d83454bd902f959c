"""Metadata of a table as JSON, in the Parquet file and in the sidecar ``NAME.parquet.json`` beside it.

Other programs (polars, pandas, spreadsheets) drop a Parquet file's metadata when they write it again. The sidecar
keeps it. Where both are there, they must say the same.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl

from ssl_domains.errors import DataError
from ssl_domains.samples.table import TableMeta

__all__ = [
    "META_KEY",
    "is_sidecar",
    "meta_from_dict",
    "meta_to_dict",
    "parquet_meta",
    "read_meta",
    "sidecar_meta",
    "sidecar_path",
]

META_KEY = "ssl_domains"
_TABLES = (".parquet", ".csv", ".tsv", ".xlsx")
_WORDS = {
    "domain": "the domain",
    "identifiers": "which columns are identifiers",
    "options": "the options of the scan, such as the column it was split by",
    "key": "the key of the identifiers",
    "columns": "the reader's columns",
}


def sidecar_path(path: str | Path) -> Path:
    """Path of a table's sidecar: ``samples.parquet.json`` for ``samples.parquet``."""
    path = Path(path)
    return path.with_name(f"{path.name}.json")


def is_sidecar(path: str | Path) -> bool:
    """Whether a file is the sidecar of a table that lies beside it."""
    path = Path(path)
    table = path.with_suffix("")
    return path.suffix == ".json" and table.suffix.lower() in _TABLES and table.exists()


def meta_to_dict(meta: TableMeta) -> dict[str, Any]:
    """The metadata as JSON values."""
    made = {
        "domain": meta.domain,
        "identifiers": list(meta.identifiers),
        "options": dict(meta.options),
        "key": meta.key,
        "columns": dict(meta.columns),
    }
    return {**made, "whole_groups": list(meta.whole_groups)} if meta.whole_groups else made


def meta_from_dict(values: Any) -> TableMeta:
    """The reverse of `meta_to_dict`; ``key``, ``columns`` and ``whole_groups`` may be missing.

    Raises:
        ValueError: When a value is missing or has another form.
    """
    if not isinstance(values, Mapping):
        raise ValueError("it is no JSON object")
    domain, identifiers, options = (values.get(name) for name in ("domain", "identifiers", "options"))
    key, columns, whole = (
        values.get(name, empty) for name, empty in (("key", ""), ("columns", {}), ("whole_groups", []))
    )
    if not isinstance(domain, str) or not isinstance(key, str):
        raise ValueError("'domain' and 'key' must be text")
    if not isinstance(identifiers, list) or not all(isinstance(name, str) for name in identifiers):
        raise ValueError("'identifiers' must be a list of column names")
    if not isinstance(whole, list) or not all(isinstance(name, str) for name in whole):
        raise ValueError("'whole_groups' must be a list of column names")
    if not isinstance(options, Mapping):
        raise ValueError("'options' must be an object")
    if not isinstance(columns, Mapping) or not all(isinstance(dtype, str) for dtype in columns.values()):
        raise ValueError("'columns' must give the type of each column as text")
    return TableMeta(domain, tuple(identifiers), dict(options), key, dict(columns), tuple(whole))


def read_meta(path: Path, *, scanned: bool = True) -> tuple[TableMeta, tuple[str, ...]]:
    """(metadata of a table, notes). The Parquet file and the sidecar are read; one may be missing.

    Args:
        path: File of the table.
        scanned: Whether a table with neither gets a note.

    Raises:
        DataError: When one of them is damaged, or both are there and differ.
    """
    inside, beside = parquet_meta(path), sidecar_meta(path)
    sidecar = sidecar_path(path).name
    if inside is not None and beside is not None:
        _require_equal(path, inside, beside)
        return inside, ()
    if beside is not None:
        return beside, () if path.suffix.lower() != ".parquet" else (
            f"{path.name} has lost its metadata, as when polars or pandas write it again: {sidecar} beside it is used",
        )
    if inside is not None:
        return inside, () if inside == TableMeta() else (
            f"{sidecar} is not beside {path.name}: the metadata inside the file is used. An edit with polars or pandas "
            "would lose it",
        )
    if not scanned:
        return TableMeta(), ()
    return TableMeta(), (
        f"{path.name} has no metadata: its group, its identifiers and the scan that made it are not known. If it was "
        f"made from a scanned table, copy that table's sidecar to {sidecar}, or put it back by `ssl-domains tables "
        f"filter {path.name} --like SCANNED_TABLE -o OUT`",
    )


def sidecar_meta(path: str | Path) -> TableMeta | None:
    """The metadata in the sidecar of a table; None when there is no sidecar.

    Raises:
        DataError: When the sidecar can't be read.
    """
    sidecar = sidecar_path(path)
    try:
        text = sidecar.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DataError(f"{sidecar.name!r} can't be read: {_line(error)}", _mend(sidecar)) from error
    try:
        return meta_from_dict(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{sidecar.name!r} is damaged: {_line(error)}", _mend(sidecar)) from error


def parquet_meta(path: Path) -> TableMeta | None:
    """The metadata inside a Parquet file; None where there are none, and for a file of another type.

    Raises:
        DataError: When they can't be read.
    """
    if path.suffix.lower() != ".parquet":
        return None
    try:
        text = pl.read_parquet_metadata(path).get(META_KEY)
        return None if text is None else meta_from_dict(json.loads(text))
    except (ValueError, RecursionError, OSError, pl.exceptions.PolarsError) as error:
        raise DataError(f"the metadata in {path.name!r} is damaged: {_line(error)}", "scan it again") from error


def _require_equal(path: Path, inside: TableMeta, beside: TableMeta) -> None:
    one, other = (json.loads(json.dumps(meta_to_dict(meta), sort_keys=True)) for meta in (inside, beside))
    differing = [words for name, words in _WORDS.items() if one[name] != other[name]]
    if differing:
        sidecar = sidecar_path(path)
        raise DataError(
            f"{path.name!r} and its sidecar {sidecar.name!r} disagree on {', '.join(differing)}",
            f"remove the sidecar if the table is right: {_mend(sidecar)}",
        )


def _mend(sidecar: Path) -> str:
    return f"rm {shlex.quote(str(sidecar))}"


def _line(error: BaseException) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
