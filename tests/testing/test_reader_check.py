"""The kit accepts a reader that keeps the contract, and names the clause that a broken one breaks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError, SampleTable, ScanResult
from ssl_domains.testing import check_reader


def test_a_good_reader_passes(reader_class, source):
    found = check_reader(reader_class(), source)
    assert len(found.samples) == 24
    assert check_reader(reader_class(), source, shift=4).samples.frame["patient"][0] == "p1"


def breaking(reader_class, name, replacement):
    # Picklable by name, as a reader must be: the class is put where pickle finds it.
    reader = reader_class()
    changed = type("Changed", (reader_class,), {name: replacement})
    changed.__module__, changed.__qualname__ = __name__, "Changed"
    globals()["Changed"] = changed
    reader.__class__ = changed
    return reader


def no_path(original):
    def scan(self, source, **options):
        found = original(self, source, **options)
        return ScanResult(SampleTable(found.samples.frame.drop("path")), found.problems)

    return scan


def changing(original):
    calls = []

    def scan(self, source, **options):
        found = original(self, source, **options)
        calls.append(None)
        return ScanResult(SampleTable(found.samples.frame.reverse() if len(calls) % 2 else found.samples.frame),
                          found.problems)  # fmt: skip

    return scan


def raising(original):
    def scan(self, source, **options):
        for path in source.glob("cut*"):
            raise OSError(f"{path} is cut")
        return original(self, source, **options)

    return scan


def other_columns(original):
    def scan(self, source, **options):
        found = original(self, source, **options)
        return ScanResult(found.samples, found.problems.rename({"cause": "why"}))

    return scan


def flat(original):
    return lambda self, row: original(self, row)[..., 0]


def text(original):
    return lambda self, row: original(self, row).astype("U3")


def empty_folder(original):
    def scan(self, source, **options):
        if not list(Path(source).iterdir()):
            raise KeyError("path")
        return original(self, source, **options)

    return scan


def changed(function):
    return lambda original: lambda self, row: function(original(self, row), int(Path(row["path"]).stem))


def random(original):
    def load(self, row):
        array = original(self, row)
        return array + np.random.default_rng().random(array.shape)

    return load


def inventing(original):
    def load(self, row):
        try:
            return original(self, row)
        except ReadError:
            return np.zeros((2, 2, 1), dtype=np.uint8)

    return load


def inventing_for_missing(original):
    return lambda self, row: original(self, row) if Path(row["path"]).exists() else np.zeros((2, 2, 1), dtype=np.uint8)


def with_a_hole(array, number):
    array = array.astype(np.float32)
    array[2, 3] = np.nan
    return array


def short(original):
    return lambda self, path, rows: original(self, path, rows)[1:]


@pytest.mark.parametrize(
    ("name", "change", "told"),
    [
        ("scan", no_path, "column 'path'"),
        ("scan", changing, "scanning twice"),
        ("scan", other_columns, "path and cause"),
        ("scan", raising, "scanned a folder of files without content, or cut short, which raised OSError: .* is cut"),
        ("scan", empty_folder, "scanned an empty folder, which raised KeyError"),
        ("load", flat, r"decoded to shape \[8, 8\], but axes 'hwc' are height, width, channels"),
        ("load", text, "decoded to <U3, not to numbers"),
        ("load", changed(lambda array, _: array[..., 0].reshape(-1)), r"decoded to shape \[64\], but axes 'hwc'"),
        ("load", changed(lambda array, _: array[None]), r"decoded to shape \[1, 8, 8, 1\], but axes 'hwc'"),
        ("load", changed(lambda array, _: array[:0]), "which has an empty side"),
        ("load", changed(lambda array, _: array.repeat(64, axis=2)), "a picture of 64 channels"),
        ("load", changed(lambda array, _: array.astype(complex)), "decoded to complex128, not to numbers"),
        ("load", changed(lambda array, _: np.full(array.shape, np.nan)), "without a finite number"),
        ("load", changed(with_a_hole), "decoded to 1 numbers that are not finite, but .* missing = True"),
        (
            "load",
            changed(lambda array, n: array.repeat(3 + (n == 7), axis=2)),
            "decoded to 4 channels, where other rows",
        ),
        ("load", random, "decoding twice"),
        ("load", inventing, "holds nothing to decode"),
        ("load", inventing_for_missing, "ReadError for a file that is not there"),
        ("load_file", short, "one array a row"),
    ],
)
def test_a_broken_reader_is_told_what_it_breaks(reader_class, source, name, change, told):
    reader = breaking(reader_class, name, change(getattr(reader_class, name)))
    with pytest.raises(AssertionError, match=told):
        check_reader(reader, source)


def test_declared_axes_channels_and_missing_data_pass(reader_class, source):
    class Changed(reader_class):
        axes, missing = "zyxc", True

        def load(self, row):
            return with_a_hole(super().load(row), 0)[None]

    Changed.__module__, Changed.__qualname__ = __name__, "Changed"
    globals()["Changed"] = Changed
    check_reader(Changed(), source)


def test_other_channels_than_declared_are_refused(reader_class, source):
    with pytest.raises(AssertionError, match="the reader declares 3 channels"):
        check_reader(breaking(reader_class, "channels", 3), source)


def test_unknown_axes_are_refused(reader_class, source):
    with pytest.raises(UsageError, match="declares axes 'whc'") as raised:
        check_reader(breaking(reader_class, "axes", "whc"), source)
    assert "hwc" in raised.value.hint


def test_a_version_is_needed(reader_class, source):
    with pytest.raises(AssertionError, match="version"):
        check_reader(breaking(reader_class, "version", ""), source)


def test_a_source_without_samples_checks_nothing(reader_class, tmp_path):
    with pytest.raises(AssertionError, match="no sample to check"):
        check_reader(reader_class(), tmp_path)


def test_identifiers_must_name_columns(reader_class, source):
    from ssl_domains.samples import TableMeta

    def scan(self, source, **options):
        found = reader_class.scan(self, source, **options)
        return ScanResult(SampleTable(found.samples.frame, TableMeta(identifiers=("nobody",))), found.problems)

    with pytest.raises(AssertionError, match="nobody"):
        check_reader(breaking(reader_class, "scan", scan), source)


def test_a_frame_compares_with_its_missing_values(reader_class, source):
    def scan(self, source, **options):
        found = reader_class.scan(self, source, **options)
        frame = found.samples.frame.with_columns(pl.lit(None, dtype=pl.Float64).alias("age"))
        return ScanResult(SampleTable(frame), found.problems)

    check_reader(breaking(reader_class, "scan", scan), source)


class Lazy:
    """An array that a reader opens in a way of its own; ``fault`` names the clause that it breaks."""

    def __init__(self, path: str, fault: str) -> None:
        self.path, self.fault = path, fault
        self.array = np.load(path)
        self.shape = (9, 8, 1) if fault == "shape" else self.array.shape
        self.dtype = np.dtype(np.int16 if fault == "dtype" else np.uint8)
        self.handle = (lambda: path) if fault == "pickle" else None

    def read(self, slices):
        part = self.array[tuple(slices)].copy()
        if self.fault == "ends":
            part = self.array[tuple(slice(one.start, max(one.stop - 1, one.start + 1), one.step) for one in slices)]
        if self.fault == "steps":
            part = self.array[tuple(slice(one.start, one.stop) for one in slices)]
        if self.fault == "values" and slices[0].start > 0:
            part += 1
        if self.fault == "order":
            part = part.astype(">u2")
        valid = np.ones(part.shape[:2], np.uint8 if self.fault == "valid" else bool)[:, :, None]
        return part, valid


def opening(fault, columns=()):
    def open_(self, row):
        for column in columns:
            row[column]
        return Lazy(row["path"], fault)

    return open_


def test_a_reader_that_opens_in_place_passes(reader_class, source):
    from ssl_domains.samples import Region

    check_reader(breaking(reader_class, "open", opening("")), source)
    check_reader(breaking(reader_class, "open", lambda self, row: Region.npy(row["path"])), source)
    check_reader(breaking(reader_class, "open", lambda self, row: None), source)


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("shape", r"`open` gives shape \[9, 8, 1\], `load` gives \[8, 8, 1\]"),
        ("dtype", "`open` gives int16, `load` gives uint8"),
        ("pickle", "pickled what `open` gave for the sample 000, which raised"),
        ("ends", "`open` reads at .* what `load` gives there"),
        ("steps", "`open` reads at .* what `load` gives there"),
        ("values", "`open` reads at .* what `load` gives there"),
        ("order", "bytes are in native order"),
        ("valid", "where there is data is bool, not uint8"),
    ],
)
def test_a_reader_that_opens_something_else_is_told(reader_class, source, fault, told):
    with pytest.raises(AssertionError, match=told):
        check_reader(breaking(reader_class, "open", opening(fault)), source)


def test_what_open_gives_must_be_an_array_of_the_declared_axes(reader_class, source):
    from ssl_domains.samples import Region

    with pytest.raises(AssertionError, match="returns a LazyArray or None, not ndarray"):
        check_reader(breaking(reader_class, "open", lambda self, row: np.load(row["path"])), source)
    flat = breaking(reader_class, "open", lambda self, row: Region.npy(row["path"])[:, :, 0])
    with pytest.raises(AssertionError, match=r"`open` gives an array that is refused: .*axes 'hwc'"):
        check_reader(flat, source)


def test_open_may_not_keep_the_row_to_read_other_columns_later(reader_class, source):
    class Later(Lazy):
        def __init__(self, row):
            super().__init__(row["path"], "")
            self.row = row

        def read(self, slices):
            assert self.row["patient"]
            return super().read(slices)

    Later.__module__, Later.__qualname__ = __name__, "Later"
    globals()["Later"] = Later
    with pytest.raises(AssertionError, match=r"read .* of the sample 000, which raised KeyError: 'patient'"):
        check_reader(breaking(reader_class, "open", lambda self, row: Later(row)), source)
    check_reader(breaking(reader_class, "open", opening("", ["patient"])), source)


def test_open_reads_the_columns_that_the_reader_declares(reader_class, source):
    reader = breaking(reader_class, "open", opening("", ["patient"]))
    type(reader).columns = ("path",)
    with pytest.raises(AssertionError, match="that the reader declares, which raised KeyError: 'patient'"):
        check_reader(reader, source)
    type(reader).columns = ("patient",)
    check_reader(reader, source)


def test_the_size_of_a_copy(reader_class, source):
    check_reader(breaking(reader_class, "nbytes", lambda self, row: 64), source)
    with pytest.raises(AssertionError, match="`nbytes` gives 63, a copy takes 64 bytes"):
        check_reader(breaking(reader_class, "nbytes", lambda self, row: 63), source)
    both = breaking(reader_class, "nbytes", lambda self, row: 64)
    type(both).open = opening("")
    with pytest.raises(AssertionError, match="`nbytes` gives 64, a copy takes 0 bytes"):
        check_reader(both, source)
