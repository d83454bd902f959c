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
