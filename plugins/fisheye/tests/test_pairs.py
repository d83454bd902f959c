"""The pair samplers, by what they make positive."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.pairs import Rows, emptied_bins, parse
from ssl_domains.samples import SampleTable
from ssl_domains_fisheye.pairs import REGIONS, SAMPLERS, alpha_mix, class_region, region, region_keys


@pytest.fixture
def table() -> SampleTable:
    rng = np.random.default_rng(0)
    n = 60
    return SampleTable.of(
        {
            "class": rng.choice(["car", "person", "sign"], n),
            "radius": rng.uniform(0, 500, n),
            "radius_norm": rng.uniform(0, 1, n) ** 2,
            "theta": rng.uniform(0, 100, n),
            "phi": rng.uniform(-180, 180, n),
            "distortion": rng.uniform(1, 3, n),
        }
    )


def positives(text: str, table: SampleTable) -> np.ndarray[Any, Any]:
    """bool ``[n, n]`` of the first relation, other samples only."""
    bound = parse(text).bind(table)
    rows = Rows.of(np.arange(len(table)), views=1)
    weights = bound.pairs(rows).dense().weights[0].numpy() > 0
    return weights & ~np.eye(len(table), dtype=bool)


def together(codes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return (codes[:, None] == codes[None, :]) & ~np.eye(len(codes), dtype=bool)


def rings(values: np.ndarray[Any, Any], n: int) -> np.ndarray[Any, Any]:
    edges = np.linspace(values.min(), values.max(), n + 1)
    return np.clip(np.digitize(values, edges) - 1, 0, n - 1)


@pytest.mark.parametrize(
    ("by", "column"),
    [("radius", "radius_norm"), ("radius_px", "radius"), ("theta", "theta"), ("distortion", "distortion")],
)
def test_rings_of_equal_width(by: str, column: str, table: SampleTable) -> None:
    assert (positives(region(by=by, n=4), table) == together(rings(table.numbers(column), 4))).all()


def test_quantile_rings_hold_equally_many(table: SampleTable) -> None:
    ranks = table.numbers("radius_norm").argsort().argsort()
    assert (positives(region(by="quantile", n=3), table) == together(ranks * 3 // len(table))).all()


def test_sectors_are_rings_times_directions(table: SampleTable) -> None:
    ring = rings(table.numbers("radius_norm"), 2)
    direction = np.floor((table.numbers("phi") + 30) % 360 / 60).astype(int)
    assert (positives(region(by="sector", n=2, sectors=6), table) == together(ring * 6 + direction)).all()


@pytest.mark.parametrize("sectors", [2, 3, 4, 5, 8, 50])
def test_objects_straight_left_and_right_are_not_split(sectors: int) -> None:
    close = 360 / sectors / 5  # less than a quarter of a sector
    phi = [0.0, close, -close, 180.0, 180 - close, -180 + close]
    table = SampleTable.of({"phi": phi, "radius_norm": [0.5] * 6})
    same = positives(region(by="sector", n=1, sectors=sectors), table)
    assert (same == together(np.array([0, 0, 0, 1, 1, 1]))).all()
    whole = SampleTable.of({"phi": np.linspace(-180, 180, 7201), "radius_norm": np.full(7201, 0.5)})
    bound = parse(region(by="sector", n=1, sectors=sectors)).bind(whole)
    assert len(np.unique(bound.relations[0].codes)) == sectors


def test_the_ends_of_the_mixture_are_the_other_samplers() -> None:
    assert parse(alpha_mix(1)) == parse("same('class')")
    assert parse(alpha_mix(0.0, by="theta", n=4)) == parse(region("theta", 4))
    assert parse(alpha_mix(0, "class_region")) == parse(class_region())
    for alpha in np.linspace(0, 1, 5):
        parse(alpha_mix(float(alpha)))


def test_one_outlier_that_empties_the_rings_is_said(table: SampleTable) -> None:
    keys = region_keys("distortion", 3)
    assert emptied_bins(keys, table) == []
    values = table.numbers("distortion").copy()
    values[7] = 200.0
    (said,) = emptied_bins(keys, table.with_columns(distortion=values))
    assert said.startswith("2 of 3 bins of bins('distortion', 3) hold 1 of 60 rows: equal widths reach from 1")
    assert "to 200" in said
    assert "by='quantile'" in said
    assert emptied_bins(region_keys("quantile", 3), table.with_columns(radius_norm=values)) == []


def test_class_region_is_both(table: SampleTable) -> None:
    both = together(table.codes("class")) & together(rings(table.numbers("theta"), 3))
    assert (positives(class_region(by="theta", n=3), table) == both).all()


@pytest.mark.parametrize("reading", ["region", "class_region"])
@pytest.mark.parametrize("by", sorted(REGIONS))
def test_both_readings_of_the_mixture(reading: str, by: str) -> None:
    second = (region if reading == "region" else class_region)(by, 4, 5)
    assert parse(alpha_mix(0.3, reading, by, 4, 5)) == 0.3 * parse("same('class')") + 0.7 * parse(second)


def test_every_sampler_binds_as_it_comes(table: SampleTable) -> None:
    for sampler in SAMPLERS:
        objective, _ = sampler.resolve()
        assert objective.bind(table).pairs(Rows.of(np.arange(20), views=2)) is not None
        assert ("class" in objective.columns) == ("reads the label" in sampler.summary)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("region", {"by": "thetta"}, "unknown partition of the lens by='thetta'"),
        ("region", {"n": 0}, "n=0 is no number of regions"),
        ("region", {"n": 2.5}, "n=2.5 is no number of regions"),
        ("class_region", {"sectors": True}, "sectors=True"),
        ("region", {"bye": "theta"}, "no parameter 'bye'"),
        ("alpha_mix", {"alpha": 1.01}, "alpha=1.01 mixes nothing"),
        ("alpha_mix", {"alpha": -0.1}, "alpha=-0.1 mixes nothing"),
        ("alpha_mix", {"alpha": float("nan")}, "alpha=nan mixes nothing"),
        ("alpha_mix", {"alpha": True}, "alpha=True mixes nothing"),
        ("alpha_mix", {"reading": "regions"}, "unknown reading"),
    ],
)
def test_what_is_no_partition(name: str, parameters: dict[str, Any], message: str) -> None:
    sampler = next(sampler for sampler in SAMPLERS if sampler.name == name)
    with pytest.raises(UsageError, match=message) as refused:
        sampler.resolve(**parameters)
    assert refused.value.exit_code == 2
