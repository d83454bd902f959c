from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ssl_domains.probes import KnnProbe, read_labels


def test_votes_equal_brute_force() -> None:
    rng = np.random.default_rng(0)
    x, new, code = rng.normal(size=(50, 4)) + 3, rng.normal(size=(30, 4)) + 3, rng.integers(0, 3, 50)
    (got,) = KnnProbe().answers(x, read_labels(pl.Series(code)), new, [{"k": 7.0}])
    centre = x.mean(axis=0)
    for row, values in zip(new, got.values, strict=True):
        cosine = [float((row - centre) @ (r - centre)) for r in x]
        cosine = [c / np.linalg.norm(row - centre) / np.linalg.norm(r - centre) for c, r in zip(cosine, x, strict=True)]
        nearest = np.argsort(cosine)[::-1][:7]
        votes = np.zeros(3)
        for j in nearest:
            votes[code[j]] += np.exp(cosine[j] / 0.07)
        assert values == pytest.approx(votes / votes.sum(), rel=1e-4)


def test_more_neighbours_than_rows_are_left_out_of_the_grid() -> None:
    labels = read_labels(pl.Series(["a", "b", "a"]))
    assert KnnProbe().settings(labels) == ({"k": 1.0},)
    assert KnnProbe(k=(20,)).settings(labels) == ({"k": 3.0},)


def test_equal_rows_and_a_zero_vector_give_numbers() -> None:
    x = np.zeros((4, 3))
    (got,) = KnnProbe().answers(x, read_labels(pl.Series(["a", "b", "a", "b"])), x, [{"k": 2.0}])
    assert np.isfinite(got.values).all()


@pytest.mark.parametrize("k", [1, 3, 7, 40])
def test_of_equally_near_rows_the_first_ones_vote(k: int) -> None:
    """Many copies of few rows; the brute force sorts by (similarity, position) in float64."""
    rng = np.random.default_rng(k)
    few = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])
    x = few[rng.permutation(np.repeat(np.arange(4), 10))]
    code = rng.integers(0, 3, len(x))
    new = rng.normal(size=(2500, 2))  # more than a strip
    (got,) = KnnProbe().answers(x, read_labels(pl.Series(code)), new, [{"k": float(k)}])
    for row, values in zip(new[::7], got.values[::7], strict=True):
        cosine = x @ row / np.linalg.norm(row)  # the mean of x is 0
        nearest = sorted(range(len(x)), key=lambda j: (-round(cosine[j], 9), j))[:k]
        votes = np.zeros(3)
        for j in nearest:
            votes[code[j]] += np.exp(cosine[j] / 0.07)
        assert values == pytest.approx(votes / votes.sum(), rel=1e-4, abs=1e-9)


def test_equal_rows_are_equally_near_wherever_they_stand() -> None:
    """Copies of one row at the ends of the blocks that a matrix product works in."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(1037, 67))
    copies = [3, 500, 1030, 1036]
    x[copies] = x[3]
    labels = read_labels(pl.Series(np.isin(np.arange(len(x)), copies[:1]).astype(str)))
    (got,) = KnnProbe().answers(x, labels, x[copies] + 1e-9, [{"k": 1.0}])
    assert (got.values.argmax(axis=1) == list(labels.classes).index("True")).all(), "always the first copy"
