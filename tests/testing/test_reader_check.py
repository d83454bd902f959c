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
