"""Health measures against closed forms, and the warning on an embedding that has collapsed and one that has not."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from ssl_domains.engine.loop.health import (
    alignment,
    collapse_warning,
    effective_rank,
    embedding_std,
    measure,
    measured_rows,
    uniformity,
)
from ssl_domains.pairs import Rows


def _sphere(rows: int, dimensions: int, seed: int = 0) -> torch.Tensor:
    return F.normalize(torch.randn(rows, dimensions, generator=torch.Generator().manual_seed(seed)), dim=1)


def _warning(z: torch.Tensor, views: int = 2) -> str:
    rows = Rows.of(torch.arange(len(z) // views), views=views)
    values = {name: float(value) for name, value in measure(z, rows).items()}
    assert measured_rows(rows) == len(z) // views
    return collapse_warning(values["std"], values["effective_rank"], z.shape[1], measured_rows(rows))


def test_std_of_a_uniform_sphere_is_one_over_root_d() -> None:
    assert float(embedding_std(_sphere(20_000, 64))) == pytest.approx(1 / 8, rel=0.01)
    assert float(embedding_std(torch.ones(10, 4))) == 0


@pytest.mark.parametrize("rank", [1, 2, 5, 16])
def test_effective_rank_counts_equal_directions(rank: int) -> None:
    # ± each of `rank` unit vectors: centred, with `rank` equal singular values.
    basis = torch.linalg.qr(torch.randn(16, 16, generator=torch.Generator().manual_seed(1)))[0][:rank]
    assert float(effective_rank(torch.cat([basis, -basis]))) == pytest.approx(rank, rel=1e-4)


def test_effective_rank_is_exp_of_the_entropy() -> None:
    values = torch.tensor([3.0, 1.0])
    rows = torch.diag(values) / math.sqrt(2)
    p = values / values.sum()
    expected = math.exp(-float((p * p.log()).sum()))
    assert float(effective_rank(torch.cat([rows, -rows]))) == pytest.approx(expected, rel=1e-5)


def test_effective_rank_ignores_a_common_offset_and_a_point_has_rank_one() -> None:
    z = torch.randn(64, 8, generator=torch.Generator().manual_seed(0))
    assert float(effective_rank(z + 100)) == pytest.approx(float(effective_rank(z)), rel=1e-3)
    assert float(effective_rank(F.normalize(torch.ones(32, 8), dim=1))) == 1


def test_alignment_is_the_mean_squared_distance_of_views() -> None:
    first, second = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [0.0, 1.0]])
    assert float(alignment(first, second)) == pytest.approx((2 + 0) / 2)
    assert float(measure(torch.cat([first, second]), Rows.of(torch.arange(2), views=2))["alignment"]) == 1.0
    assert math.isnan(float(alignment(first[:0], second[:0])))


def test_alignment_is_of_rows_of_one_sample_and_part_in_different_views() -> None:
    # Two samples of three parts in two views; a part of the second sample is missing in the second view.
    sample = torch.tensor([0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1])
    part = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 2])
    view = torch.tensor([0] * 6 + [1] * 5)
    row = (view * 2 + sample) * 3 + part
    z = _sphere(11, 4)
    distances = [
        float((z[i] - z[j]).square().sum())
        for i in range(11)
        for j in range(11)
        if view[i] == 0 and view[j] == 1 and sample[i] == sample[j] and part[i] == part[j]
    ]
    assert len(distances) == 5
    found = measure(z, Rows(sample, view, part, row))
    assert float(found["alignment"]) == pytest.approx(sum(distances) / 5, rel=1e-5)
    # Spread: the first row of each sample in the first view.
    assert measured_rows(Rows(sample, view, part, row)) == 2
    assert float(found["uniformity"]) == pytest.approx(float(uniformity(z[[0, 3]])), rel=1e-5)


def test_partners_have_no_alignment_as_no_two_views_show_one_sample() -> None:
    rows = Rows(torch.arange(8), torch.arange(8) // 4, torch.zeros(8, dtype=torch.int64), torch.arange(8))
    found = measure(_sphere(8, 4), rows)
    assert math.isnan(float(found["alignment"]))
    assert math.isfinite(float(found["uniformity"]))


def test_uniformity_of_a_point_opposite_points_and_a_sphere() -> None:
    assert float(uniformity(torch.ones(5, 3))) == pytest.approx(0, abs=1e-6)
    assert float(uniformity(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))) == pytest.approx(-8)  # ‖·‖² = 4, t = 2
    assert float(uniformity(_sphere(1000, 512))) == pytest.approx(-4, abs=0.05)


def test_uniformity_equals_a_plain_double_loop() -> None:
    z = _sphere(12, 5)
    terms = [math.exp(-2 * float((z[i] - z[j]).square().sum())) for i in range(12) for j in range(i)]
    assert float(uniformity(z)) == pytest.approx(math.log(sum(terms) / len(terms)), rel=1e-5)


def test_no_warning_for_a_healthy_embedding() -> None:
    assert _warning(_sphere(256, 32)) == ""


def test_a_point_and_a_line_are_warned_of_in_words() -> None:
    noise = 1e-3 * torch.randn(256, 32, generator=torch.Generator().manual_seed(0))
    point = F.normalize(torch.ones(256, 32) + noise, dim=1)
    assert "collapsing to a point" in _warning(point)
    sign = torch.where(torch.arange(256) % 2 == 0, 1.0, -1.0)[:, None]
    line = F.normalize(sign * torch.ones(256, 32) + noise, dim=1)
    assert "collapsing to a line" in _warning(line)


def test_a_handful_of_rows_says_nothing() -> None:
    assert _warning(torch.ones(8, 32)) == ""
