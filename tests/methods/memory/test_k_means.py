"""k-means against scikit-learn from the same first centroids, and what happens to empty clusters."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans

from ssl_domains.errors import UsageError
from ssl_domains.methods.memory import k_means as module
from ssl_domains.methods.memory.k_means import Whitening, k_means


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def cluster(points: torch.Tensor, clusters: int, iterations: int = 20) -> tuple[torch.Tensor, torch.Tensor]:
    return k_means(lambda rows: points[rows], len(points), clusters, iterations=iterations, generator=draws())


@pytest.mark.parametrize("iterations", [1, 3, 50])
def test_it_equals_lloyd_from_the_same_start(iterations: int) -> None:
    points = torch.randn(300, 4, generator=draws(1))
    centroids, labels = cluster(points, 7, iterations)
    first = points[torch.randperm(300, generator=draws())[:7]].double().numpy()
    lloyd = KMeans(7, init=first, n_init=1, max_iter=iterations, tol=0, algorithm="lloyd").fit(points.double().numpy())
    np.testing.assert_allclose(centroids, lloyd.cluster_centers_, atol=1e-5)
    if iterations == 50:
        np.testing.assert_array_equal(labels, lloyd.labels_)


def test_centroids_are_the_means_of_their_points_whatever_the_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    points = torch.randn(100, 3, generator=draws(2))
    centroids, labels = cluster(points, 5)
    for k in range(5):
        torch.testing.assert_close(centroids[k], points[labels == k].mean(dim=0))
    monkeypatch.setattr(module, "_ROWS", 7)
    again, labels_again = cluster(points, 5)
    torch.testing.assert_close(again, centroids)
    assert torch.equal(labels_again, labels)


@pytest.mark.parametrize("points", [torch.zeros(6, 2), torch.eye(6)[[0, 0, 0, 0, 0, 1]]])
def test_no_cluster_is_empty_even_where_points_are_equal(points: torch.Tensor) -> None:
    centroids, labels = cluster(points, 4)
    assert sorted(set(labels.tolist())) == [0, 1, 2, 3]
    assert bool(torch.isfinite(centroids).all())
    for k in range(4):
        torch.testing.assert_close(centroids[k], points[labels == k].mean(dim=0))


def test_more_clusters_than_points_are_refused() -> None:
    with pytest.raises(UsageError, match="4 clusters of 3 points"):
        cluster(torch.zeros(3, 2), 4)


def test_whitened_features_have_the_identity_as_covariance_before_their_length_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "_ROWS", 64)
    features = torch.randn(500, 6, generator=draws(3)) @ torch.randn(6, 6, generator=draws(4)) + 5
    whitening = Whitening.fit(features, 4)
    projected = ((features - whitening.mean) @ whitening.matrix).double()
    torch.testing.assert_close(projected.T @ projected / 500, torch.eye(4).double(), atol=1e-3, rtol=0)
    torch.testing.assert_close(whitening(features).norm(dim=1), torch.ones(500))
    values = np.linalg.eigvalsh(np.cov(features.double().numpy().T, bias=True))[-4:]
    np.testing.assert_allclose(1 / whitening.matrix.double().norm(dim=0).square(), values, rtol=1e-3)


def test_features_without_any_variance_are_clustered() -> None:
    features = torch.ones(5, 3)
    whitening = Whitening.fit(features, 3)
    assert bool(torch.isfinite(whitening(features)).all())


def test_separable_points_are_clustered_as_by_faiss_from_the_same_start() -> None:
    faiss = pytest.importorskip(
        "faiss", reason="faiss-cpu is not installed; clustering is in torch, and compared with it"
    )
    centres = 10 * torch.eye(6, 8)
    points = centres.repeat_interleave(50, dim=0) + 0.1 * torch.randn(300, 8, generator=draws(3))
    for seed in range(3):
        centroids, labels = k_means(lambda rows: points[rows], 300, 6, iterations=20, generator=draws(seed))
        first = points[torch.randperm(300, generator=draws(seed))[:6]].numpy()
        peer = faiss.Kmeans(8, 6, niter=20, verbose=False, min_points_per_centroid=1)
        peer.train(points.numpy(), init_centroids=first)
        np.testing.assert_array_equal(labels, peer.index.search(points.numpy(), 1)[1][:, 0])
        np.testing.assert_allclose(centroids, peer.centroids, atol=1e-4)
