"""Checks that a reader keeps contract 1."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.samples import (
    FileReader,
    LazyArray,
    OpenReader,
    Reader,
    ReadError,
    ScanResult,
    SizedReader,
    boxes_of,
    read_boxes,
)
from ssl_domains.stores.declared import DeclaredArrays, differing_channels, usual_channels
from ssl_domains.stores.fingerprint import WatchedRow, declared_columns

__all__ = ["check_reader"]


def check_reader(reader: Reader, source: str | Path, *, load: int = 20, **options: Any) -> ScanResult:
    """Check a reader on a source with at least one sample that it can read.

    Args:
        reader: The reader.
        source: Folder or file for its ``scan``.
        load: Number of rows to decode, at equal distances in the table.
        **options: Scan options.

    Returns:
        The result of the scan.

    Raises:
        AssertionError: When the reader breaks the contract; the message says where.
    """
    source = Path(source)
    assert isinstance(reader, Reader), "a reader has `version`, `scan(source, **options)` and `load(row)`"
    assert isinstance(reader.version, str), "`version` is text"
    assert reader.version, "`version` must say something: it changes when the same file decodes to another array"
    copy = pickle.loads(pickle.dumps(reader))
    assert copy.version == reader.version, "a reader survives pickling: workers get a copy"

    form = DeclaredArrays.of(reader)
    scanned = _scan(reader, source, options, f"scanned {source}")
    assert len(scanned.samples), (
        f"{source} gives no sample to check; problems: {scanned.problems['cause'].to_list()[:3]}"
    )
    again = _scan(copy, source, options, f"scanned {source} with a pickled copy of the reader")
    assert again.samples.frame.equals(scanned.samples.frame), "scanning twice gives the same table, in the same order"
    _check_bad_files(reader, scanned, options)

    rows = scanned.samples.frame.to_dicts()
    chosen = [rows[i] for i in np.unique(np.linspace(0, len(rows) - 1, num=load, dtype=int))]
    arrays = [_check_load(reader, form, row) for row in chosen]
    _check_channels(form, chosen, arrays)
    if isinstance(reader, FileReader):
        _check_file(reader, chosen, arrays)
    if isinstance(reader, OpenReader):
        for row, array in zip(chosen, arrays, strict=True):
            _check_open(reader, form, row, array)
    if isinstance(reader, SizedReader):
        _check_sizes(reader, chosen, arrays)
    _check_missing(reader, chosen[0])
    return scanned


@contextmanager
def _doing(what: str) -> Iterator[None]:
    """Add to an exception what the check was doing when it was raised."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"{what}: {error}") from error
    except Exception as error:
        raise AssertionError(f"{what}, which raised {type(error).__name__}: {error}") from error


def _scan(reader: Reader, source: Path, options: Mapping[str, Any], what: str) -> ScanResult:
    with _doing(what):
        scanned = reader.scan(source, **options)
        _check_scan(scanned)
    return scanned


def _check_scan(scanned: ScanResult) -> None:
    assert isinstance(scanned, ScanResult), f"`scan` returns a ScanResult, not {type(scanned).__name__}"
    assert "path" in scanned.samples.columns, "the table has a column 'path'"
    assert scanned.problems.columns == ["path", "cause"], "`problems` has the columns path and cause"
    assert scanned.problems["cause"].is_not_null().all(), "every problem has a cause"
    for cause in scanned.problems["cause"]:
        assert cause.strip() == cause != "", f"a cause says something: {cause!r}"
        assert "\n" not in cause, f"a cause is one line: {cause!r}"
    missing = set(scanned.samples.meta.identifiers) - set(scanned.samples.columns)
    assert not missing, f"identifiers name columns that are there: {sorted(missing)}"


def _check_bad_files(reader: Reader, scanned: ScanResult, options: Mapping[str, Any]) -> None:
    """Check an empty folder, empty files and truncated files: no samples, or problems, but no exception."""
    suffixes = {Path(path).suffix for path in scanned.samples.frame["path"].drop_nulls().unique()}
    # Without options that are paths, as those files belong to the source.
    plain = {name: value for name, value in options.items() if not isinstance(value, Path)}
    with tempfile.TemporaryDirectory() as folder:
        empty = _scan(reader, Path(folder), plain, "scanned an empty folder")
        assert len(empty.samples) == 0, "scanned an empty folder: it has no samples"
        for suffix in sorted(suffixes):
            (Path(folder) / f"cut{suffix}").write_bytes(b"\x00\x01cut")
            (Path(folder) / f"nothing{suffix}").write_bytes(b"")
        cut = _scan(reader, Path(folder), plain, "scanned a folder of files without content, or cut short")
        for (
            row
        ) in cut.samples.frame.to_dicts():  # a scan reads headers only and may miss a bad file; then decoding must fail
            with _doing("loaded a file without content, or cut short"):
                try:
                    reader.load(row)
                except ReadError:
                    continue
            raise AssertionError(f"`load` decoded {row['path']}, which holds nothing to decode")


def _check_load(reader: Reader, form: DeclaredArrays, row: Mapping[str, Any]) -> NDArray[np.generic]:
    name = row["sample"]
    with _doing(f"loaded the sample {name}"):
        array = reader.load(row)
        again = reader.load(dict(row))
    assert isinstance(array, np.ndarray), f"{name}: `load` returns a NumPy array, not {type(array).__name__}"
    for refusal in (form.refusal(array), form.undeclared_missing(array)):
        assert refusal is None, f"{name}: {refusal}"
    assert array.dtype.isnative, f"{name}: bytes are in native order"
    assert again.dtype == array.dtype, f"{name}: decoding twice gives the same type"
    np.testing.assert_array_equal(again, array, err_msg=f"{name}: decoding twice gives the same array")
    return array


def _check_channels(
    form: DeclaredArrays, rows: Sequence[Mapping[str, Any]], arrays: Sequence[NDArray[np.generic]]
) -> None:
    if form.mixed_channels or not form.axes.endswith("c"):
        return
    usual = usual_channels(array.shape[-1] for array in arrays)
    for row, array in zip(rows, arrays, strict=True):
        refusal = differing_channels(array.shape[-1], usual)
        assert refusal is None, f"{row['sample']}: {refusal}"


def _check_file(reader: FileReader, rows: list[dict[str, Any]], arrays: list[NDArray[np.generic]]) -> None:
    for path in dict.fromkeys(row["path"] for row in rows):
        numbers = [i for i, row in enumerate(rows) if row["path"] == path]
        with _doing("loaded the rows of one file by `load_file`"):
            together = list(reader.load_file(path, [rows[i] for i in numbers]))
        assert len(together) == len(numbers), "`load_file` returns one array a row"
        for i, array in zip(numbers, together, strict=True):
            name = rows[i]["sample"]
            np.testing.assert_array_equal(array, arrays[i], err_msg=f"{name}: `load_file` gives what `load` gives")


def _check_open(reader: OpenReader, form: DeclaredArrays, row: Mapping[str, Any], array: NDArray[np.generic]) -> None:
    """Check that `open` gives in place what `load` gives, whole and in part, and from a pickled copy."""
    name, keys_read = row["sample"], set[str]()
    with _doing(f"opened the sample {name}"):
        lazy = reader.open(WatchedRow(row, keys_read))
    if lazy is None:
        return
    assert isinstance(lazy, LazyArray), f"{name}: `open` returns a LazyArray or None, not {type(lazy).__name__}"
    refusal = form.form_refusal(lazy.shape, np.dtype(lazy.dtype))
    assert refusal is None, f"{name}: `open` gives an array that is refused: {refusal}"
    shape = tuple(lazy.shape)
    assert shape == array.shape, f"{name}: `open` gives shape {list(shape)}, `load` gives {list(array.shape)}"
    dtype = np.dtype(lazy.dtype).newbyteorder("=")
    assert dtype == array.dtype, f"{name}: `open` gives {dtype}, `load` gives {array.dtype}"
    # A store hands over no other columns when it opens the array again.
    declared = declared_columns(reader)
    columns = {"sample", "path", *(keys_read if declared is None else declared)}
    with _doing(f"opened the sample {name} from the columns that `open` read, or that the reader declares"):
        again = reader.open({key: row[key] for key in row if key in columns})
    assert again is not None, f"{name}: `open` gives an array from a row, and none from the columns that it read"
    with _doing(f"pickled what `open` gave for the sample {name}"):
        copy = pickle.loads(pickle.dumps(lazy))
    for one, which in ((lazy, "`open`"), (copy, "a pickled copy"), (again, "`open` from the columns that it read")):
        for slices in _parts(array.shape):
            with _doing(f"read {list(slices)} of the sample {name}"):
                part, valid = one.read(slices)
            where = f"{name}: {which} reads at {list(slices)} what `load` gives there"
            assert part.dtype.isnative, f"{name}: bytes are in native order"
            np.testing.assert_array_equal(part, array[slices], err_msg=where)
            if valid is not None:
                assert valid.dtype == np.bool_, f"{name}: where there is data is bool, not {valid.dtype}"
                np.broadcast_to(valid, part.shape)
        _check_boxes(one, array, f"{name}: {which}")


def _check_boxes(lazy: LazyArray, array: NDArray[np.generic], whose: str) -> None:
    """Parts that are read at once are those that are read one by one."""
    if 0 in array.shape:
        return
    sides = tuple(max(1, side // 3) for side in array.shape)
    room = np.array(array.shape) - sides
    starts = np.stack([room * share // 5 for share in (0, 5, 2, 3, 1, 4)])
    with _doing(f"read {len(starts)} parts of sides {list(sides)} at once"):
        parts, valid = read_boxes(lazy, starts, sides)
    assert parts.dtype.isnative, f"{whose}: bytes are in native order"
    np.testing.assert_array_equal(parts, boxes_of(array, starts, sides), err_msg=f"{whose} reads several parts at once")
    known = np.broadcast_to(True if valid is None else valid, parts.shape)
    for place, start in enumerate(starts.tolist()):
        one = lazy.read([slice(at, at + side, 1) for at, side in zip(start, sides, strict=True)])[1]
        expected = np.broadcast_to(True if one is None else one, sides)
        np.testing.assert_array_equal(known[place], expected, err_msg=f"{whose} says where several parts have data")


def _parts(shape: tuple[int, ...]) -> list[tuple[slice, ...]]:
    """Slices to compare: the whole, both ends and the middle of each side, and every second place of all sides."""
    whole = tuple(slice(0, side, 1) for side in shape)
    parts = [whole, tuple(slice(0, side, 2) for side in shape)]
    for axis, side in enumerate(shape):
        for start, stop in ((0, 1), (side - 1, side), (side // 3, max(side // 3 + 1, 2 * side // 3))):
            parts.append((*whole[:axis], slice(start, stop, 1), *whole[axis + 1 :]))
    return parts


def _check_sizes(reader: SizedReader, rows: list[dict[str, Any]], arrays: list[NDArray[np.generic]]) -> None:
    for row, array in zip(rows, arrays, strict=True):
        with _doing(f"asked for the size of the sample {row['sample']}"):
            size = reader.nbytes(row)
            in_place = isinstance(reader, OpenReader) and reader.open(row) is not None
        wanted = 0 if in_place else array.nbytes
        assert size == wanted, f"{row['sample']}: `nbytes` gives {size}, a copy takes {wanted} bytes"


def _check_missing(reader: Reader, row: Mapping[str, Any]) -> None:
    cause = None
    try:
        reader.load({**row, "path": str(Path(tempfile.gettempdir()) / "ssl-domains-no-such-file")})
    except ReadError as error:
        cause = str(error).strip()
    assert cause is not None, "`load` raises ReadError for a file that is not there"
    assert cause, "a ReadError says its cause"
