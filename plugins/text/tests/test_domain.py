"""The domain keeps the contracts, and costs nothing to list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.pairs import Rows
from ssl_domains.samples import SampleTable
from ssl_domains.testing import check_domain, check_pair_sampler
from ssl_domains_text.lines.domain import LINES
from ssl_domains_text.lines.hooks import ssl_domains_domains, ssl_domains_pair_samplers
from ssl_domains_text.lines.pairs import ignore_same
from ssl_domains_text.lines.report import thumbnail

from .line_files import strip


@pytest.mark.slow
def test_it_passes_the_conformance_kit(tmp_path: Path) -> None:
    samples = check_domain(LINES, tmp_path)
    (writer,) = (sampler for sampler in ssl_domains_pair_samplers() if sampler.name == "writer")
    check_pair_sampler(writer, samples)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("ignore_same", ["self", "ignored", "negative", "negative"]),
        ("within_writer", ["self", "negative", "ignored", "ignored"]),
    ],
)
def test_what_the_other_samplers_say_of_a_line(name: str, expected: list[str]) -> None:
    (sampler,) = (one for one in ssl_domains_pair_samplers() if one.name == name)
    objective, _ = sampler.resolve()
    table = SampleTable(pl.DataFrame({"sample": ["a", "b", "c", "d"], "writer": ["w", "w", "v", "u"]}))
    pairs = objective.bind(table.frame).pairs(Rows.of(np.arange(4), views=1))
    allowed = pairs.dense().allowed[0].tolist()
    assert ["self" if k == 0 else "negative" if allowed[k] else "ignored" for k in range(4)] == expected
    assert not pairs.cross_sample().any()


def test_hooks_import_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "polars", "cv2", "PIL", "lmdb", "sklearn")
    code = (
        "import sys, ssl_domains_text.lines.hooks as h, ssl_domains_text.lines.cli;"
        "h.ssl_domains_domains(); h.ssl_domains_pair_samplers();"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_one_domain() -> None:
    assert ssl_domains_domains() == [LINES]
    assert {sampler.domain for sampler in ssl_domains_pair_samplers()} == {"lines"}


def test_rules_of_the_samplers() -> None:
    assert ignore_same() == "none.ignore((same('writer') & ~same('sample')).across_parts())"
    assert ignore_same(by="book") == "none.ignore((same('book') & ~same('sample')).across_parts())"
    with pytest.raises(UsageError):
        ignore_same(by="")


def test_thumbnails_fold_long_lines() -> None:
    array = strip(600, 32)[:, :, None]
    made = thumbnail(array, {})
    assert made.shape == (192, 192, 1)
    assert made.dtype == np.uint8
    inked = (made[:, :, 0] < 120).any(axis=1)
    starts = np.flatnonzero(inked & ~np.r_[False, inked[:-1]])
    assert len(starts) == 4, "four rows of a line that is 19 times as wide as high"
    short = thumbnail(strip(40, 32)[:, :, None], {})
    assert (np.diff(np.flatnonzero((short[:, :, 0] < 120).any(axis=1))) == 1).all(), "a short line is one row"


def test_a_line_from_right_to_left_begins_at_the_right() -> None:
    array = np.full((20, 200, 1), 230, dtype=np.uint8)
    array[5:15, 188:196] = 10  # the first character of a line from right to left
    left, right = thumbnail(array, {}), thumbnail(array, {"direction": "rtl"})
    rows_left, rows_right = (np.flatnonzero((one[:, :, 0] < 120).any(axis=1)) for one in (left, right))
    assert rows_right.max() < rows_left.min(), "in the first row, and not in the last"
    assert np.flatnonzero((right[:, :, 0] < 120).any(axis=0)).min() > 96
