"""The domain keeps the contracts, and costs nothing to list."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.samples import SampleTable
from ssl_domains.testing import check_domain, check_pair_sampler
from ssl_domains_fisheye.domain import FISHEYE
from ssl_domains_fisheye.hooks import ssl_domains_domains, ssl_domains_pair_samplers


@pytest.mark.slow
def test_it_passes_the_conformance_kit(tmp_path: Path) -> None:
    samples = check_domain(FISHEYE, tmp_path)
    for sampler in ssl_domains_pair_samplers():
        check_pair_sampler(sampler, samples)


def test_hooks_import_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "polars", "cv2", "PIL", "matplotlib", "sklearn")
    code = (
        "import sys, ssl_domains_fisheye.hooks as h, ssl_domains_fisheye.cli;"
        "h.ssl_domains_domains(); h.ssl_domains_pair_samplers();"
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_channels_are_those_of_the_files() -> None:
    assert ssl_domains_domains() == [FISHEYE]
    assert FISHEYE.in_chans is not None
    for channels, wanted in (([1, 1], 1), ([1, 3], 3), ([3, 3], 3)):
        table = SampleTable(pl.DataFrame({"sample": ["a", "b"], "channels": channels}))
        assert FISHEYE.in_chans(table) == wanted
    assert FISHEYE.in_chans(SampleTable(pl.DataFrame({"sample": ["a"]}))) == 3
