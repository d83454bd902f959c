"""Does a reader keep contract 1?"""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import FileReader, Reader, ReadError, ScanResult

__all__ = ["check_reader"]


def check_reader(reader: Reader, source: Path, *, load: int = 20, **options: Any) -> ScanResult:
    """Check a reader on a source that it can read at least one sample of.

    Args:
        reader: The reader.
        source: What its ``scan`` takes.
        load: How many rows to decode, spread over the table.
        **options: Scan options.

    Returns:
        What the scan found.

    Raises:
        AssertionError: Naming what the contract asks and the reader does not do.
    """
    assert isinstance(reader, Reader), "a reader has `version`, `scan(source, **options)` and `load(row)`"
    assert isinstance(reader.version, str), "`version` is text"
    assert reader.version, "`version` must say something: it changes when the same file decodes to another array"
    copy = pickle.loads(pickle.dumps(reader))
    assert copy.version == reader.version, "a reader survives pickling: workers get a copy"

    found = reader.scan(source, **options)
    _check_scan(found)
    assert len(found.samples), f"{source} gives no sample to check; problems: {found.problems['cause'].to_list()[:3]}"
    again = copy.scan(source, **options)
    assert again.samples.frame.equals(found.samples.frame), "scanning twice gives the same table, in the same order"
    _check_bad_files(reader, found, options)

    rows = found.samples.frame.to_dicts()
    chosen = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, num=load, dtype=int))]
    arrays = [_check_load(reader, row) for row in chosen]
    if isinstance(reader, FileReader):
        _check_file(reader, chosen, arrays)
    _check_missing(reader, chosen[0])
    return found


def _check_scan(found: ScanResult) -> None:
    assert isinstance(found, ScanResult), f"`scan` returns a ScanResult, not {type(found).__name__}"
    assert "path" in found.samples.columns, "the table has a column 'path'"
    assert found.problems.columns == ["path", "cause"], "`problems` has the columns path and cause"
    assert found.problems["cause"].is_not_null().all(), "every problem has a cause"
    for cause in found.problems["cause"]:
        assert cause.strip() == cause != "", f"a cause says something: {cause!r}"
        assert "\n" not in cause, f"a cause is one line: {cause!r}"
    missing = set(found.samples.meta.identifiers) - set(found.samples.columns)
    assert not missing, f"identifiers name columns that are there: {sorted(missing)}"


def _check_bad_files(reader: Reader, found: ScanResult, options: Mapping[str, Any]) -> None:
    """Nothing, and files that are cut short, end in problems or in nothing; never in an exception."""
    suffixes = {Path(path).suffix for path in found.samples.frame["path"].drop_nulls().unique()}
    # Options may point at files that belong to the source, not to these.
    plain = {name: value for name, value in options.items() if not isinstance(value, Path)}
    with tempfile.TemporaryDirectory() as folder:
        empty = reader.scan(Path(folder), **plain)
        _check_scan(empty)
        assert len(empty.samples) == 0, "an empty folder has no samples"
        for suffix in sorted(suffixes):
            (Path(folder) / f"cut{suffix}").write_bytes(b"\x00\x01cut")
            (Path(folder) / f"nothing{suffix}").write_bytes(b"")
        cut = reader.scan(Path(folder), **plain)
        _check_scan(cut)
        for row in cut.samples.frame.to_dicts():  # a scan reads headers only, so it may pass; decoding then says it
            try:
                reader.load(row)
            except ReadError:
                continue
            raise AssertionError(f"`load` decoded {row['path']}, which holds nothing to decode")


def _check_load(reader: Reader, row: Mapping[str, Any]) -> NDArray[np.generic]:
    array = reader.load(row)
    name = row["sample"]
    assert isinstance(array, np.ndarray), f"{name}: `load` returns a NumPy array, not {type(array).__name__}"
    assert array.ndim == 3, f"{name}: `load` returns [H, W, C], not {array.shape}"
    assert array.size, f"{name}: the array is empty"
    assert array.dtype.kind in "buif", f"{name}: the native type is a number, not {array.dtype}"
    assert array.dtype.isnative, f"{name}: bytes are in native order"
    again = reader.load(dict(row))
    assert again.dtype == array.dtype, f"{name}: decoding twice gives the same type"
    np.testing.assert_array_equal(again, array, err_msg=f"{name}: decoding twice gives the same array")
    return array


def _check_file(reader: FileReader, rows: list[dict[str, Any]], arrays: list[NDArray[np.generic]]) -> None:
    for path in dict.fromkeys(row["path"] for row in rows):
        mine = [i for i, row in enumerate(rows) if row["path"] == path]
        together = reader.load_file(path, [rows[i] for i in mine])
        assert len(together) == len(mine), "`load_file` returns one array a row"
        for i, array in zip(mine, together, strict=True):
            name = rows[i]["sample"]
            np.testing.assert_array_equal(array, arrays[i], err_msg=f"{name}: `load_file` gives what `load` gives")


def _check_missing(reader: Reader, row: Mapping[str, Any]) -> None:
    cause = None
    try:
        reader.load({**row, "path": str(Path(tempfile.gettempdir()) / "ssl-domains-no-such-file")})
    except ReadError as error:
        cause = str(error).strip()
    assert cause is not None, "`load` raises ReadError for a file that is not there"
    assert cause, "a ReadError says its cause"
