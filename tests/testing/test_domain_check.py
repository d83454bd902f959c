"""The kit accepts a domain and its samplers, and names what a broken one breaks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import PairSampler, ScanOption
from ssl_domains.pairs import Composition
from ssl_domains.pairs.sampling.negatives import NegativeDraw
from ssl_domains.samples import Regions, SampleTable
from ssl_domains.testing import check_domain, check_pair_sampler


def test_a_good_domain_and_its_samplers_pass(domain, tmp_path):
    samples = check_domain(domain, tmp_path)
    check_pair_sampler(PairSampler("patient", "npy", "share a patient", "same('patient')"), samples, batch_size=8)
    by = PairSampler("by", "npy", "share it", lambda column="patient": f"same({column!r})")
    check_pair_sampler(by, samples, batch_size=8)
    needs = PairSampler("needs", "npy", "share it", lambda column: f"same({column!r})")
    check_pair_sampler(needs, samples, batch_size=8, column="patient")


def test_a_sampler_with_negatives_passes_unless_it_draws_positives(domain, tmp_path, monkeypatch):
    samples = check_domain(domain, tmp_path)
    mined = Composition("partner", negatives="linked('mined')", n_negatives=2)
    alike = Composition("partner", negatives="within('number', 100)", bucket="number")
    samples = samples.with_columns(number=range(len(samples)))
    for composition in (mined, alike):
        check_pair_sampler(PairSampler("hard", "npy", "x", "same('patient')", composition), samples, batch_size=8)
    monkeypatch.setattr(NegativeDraw, "_allowed", lambda self, *words: None)
    # Whatever is drawn is then a row of the seed's patient.
    broken = Composition("partner", negatives="same('patient')")
    with pytest.raises(AssertionError, match="a drawn negative matches the relation same"):
        check_pair_sampler(PairSampler("hard", "npy", "x", "same('patient')", broken), samples, batch_size=8)


@pytest.mark.parametrize("thumbnail", [lambda array, row: array, lambda array, row: f"{array.shape[0]} pixels wide"])
def test_a_thumbnail_is_a_picture_or_text(domain, tmp_path, thumbnail):
    check_domain(replace(domain, thumbnail=thumbnail), tmp_path)


def test_a_folder_is_not_needed(domain):
    assert len(check_domain(domain)) == 24


def regions_of_rows(tables):
    """Each row as an array of one place."""
    return [Regions(np.arange(len(one)), np.zeros((len(one), 1), int), np.ones((len(one), 1), int)) for one in tables]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"summary": " "}, "summary"),
        ({"demo_data": None}, "demo data"),
        ({"demo_data": lambda out, seed: "next: nothing"}, "next command"),
        ({"group": "hospital"}, "hospital"),
        ({"floors": {"scanner alone": ("scanner",)}}, "scanner"),
        ({"scan_options": (ScanOption("masks", str, help="masks"),)}, "--masks"),
        ({"scan_options": (ScanOption("shift", int),)}, "--shift says what it does"),
        ({"place_regions": lambda tables: None}, "place_regions gives the regions"),
        ({"place_regions": regions_of_rows}, "place_regions is for tables whose samples are regions"),
        ({"measured": lambda table: {"loudness": [1.0]}}, "'loudness' has the shape"),
        ({"measured": lambda table: {"loudness": [float("nan")] * len(table)}}, "'loudness' is measured on some rows"),
        ({"thumbnail": lambda array, row: array / 255}, "uint8"),
        ({"thumbnail": lambda array, row: array[:, :, 0]}, "1 or 3"),
        ({"thumbnail": lambda array, row: row["path"]}, "no path"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_broken_domain_is_told_what_it_breaks(domain, tmp_path, change, told):
    with pytest.raises((AssertionError, UsageError, DataError), match=told):
        check_domain(replace(domain, **change), tmp_path)


def test_demo_data_must_not_depend_on_anything_but_the_seed(domain, tmp_path):
    calls = []

    def careless(out, seed):
        calls.append(None)
        return domain.demo_data(out, len(calls))

    with pytest.raises(AssertionError, match="same seed"):
        check_domain(replace(domain, demo_data=careless), tmp_path)


def test_a_sampler_of_a_domain_that_is_nowhere_is_refused(domain, tmp_path):
    samples = SampleTable(check_domain(domain, tmp_path).frame)
    check_pair_sampler(PairSampler("a", "*", "x", "same('patient')"), samples, batch_size=8)
    with pytest.raises(AssertionError, match=r"domain that isn't there.*npx"):
        check_pair_sampler(PairSampler("a", "npx", "x", "same('patient')"), samples, batch_size=8)


@pytest.mark.parametrize(
    ("sampler", "error", "told"),
    [
        (PairSampler("a", "fisheye", "x", "same('patient')"), AssertionError, "the table was scanned by 'npy'"),
        (PairSampler("a", "npy", "", "same('patient')"), AssertionError, "summary"),
        (PairSampler("a", "npy", "x", lambda **any: "same('patient')"), AssertionError, "unknown parameter"),
        (PairSampler("a", "npy", "x", "same('hospital')"), UsageError, "hospital"),
        (PairSampler("a", "npy", "x", "same('sample')"), DataError, None),
        (PairSampler("a", "npy", "x", "same('patient') | ~same('patient')"), DataError, None),
    ],
)
def test_a_broken_sampler_is_told_what_it_breaks(domain, tmp_path, sampler, error, told):
    samples = check_domain(domain, tmp_path)
    with pytest.raises(error, match=told):
        check_pair_sampler(sampler, samples, batch_size=8)
