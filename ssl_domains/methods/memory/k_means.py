"""k-means of many rows that are read block by block, after PCA-whitening; no cluster is left empty.

Lloyd 1982, Least Squares Quantization in PCM. Whitening before clustering as in Caron et al. 2018, Deep Clustering for
Unsupervised Learning of Visual Features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.errors import UsageError

__all__ = ["Whitening", "k_means"]

_ROWS = 8192
_SMALLEST = 1e-6  # of the largest variance: directions without variance hold rounding errors only


@dataclass(frozen=True, eq=False)
class Whitening:
    """Projects features on their principal components, each scaled to variance 1, and rows to length 1.

    Attributes:
        mean: ``[F]``.
        matrix: ``[F, d]``.
    """

    mean: Tensor
    matrix: Tensor

    @classmethod
    def fit(cls, features: Tensor, dimensions: int) -> Whitening:
        """Fit it on features ``[n, F]``; ``dimensions`` of at most F are kept."""
        total = torch.zeros(features.shape[1], dtype=torch.float64)
        for rows in _blocks(len(features)):
            total += features[rows].double().sum(dim=0)
        mean = total / len(features)
        covariance = torch.zeros(len(mean), len(mean), dtype=torch.float64)
        for rows in _blocks(len(features)):
            centred = features[rows].double() - mean
            covariance += centred.T @ centred
        variances, directions = torch.linalg.eigh(covariance / len(features))
        kept = variances[-dimensions:].clamp(min=0)
        scale = (kept + _SMALLEST * kept.max().clamp(min=1e-30)).rsqrt()
        return cls(mean.float(), (directions[:, -dimensions:] * scale).float())

    def __call__(self, features: Tensor) -> Tensor:
        """``[m, F]`` to ``[m, d]``, rows of length 1."""
        return F.normalize((features.float() - self.mean) @ self.matrix, dim=1)


def k_means(
    points: Callable[[slice], Tensor], count: int, clusters: int, *, iterations: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Cluster ``count`` points, starting with randomly chosen ones as centroids.

    A cluster that loses all its points gets the one that is farthest from its centroid, of a cluster with others.

    Args:
        points: Function from a slice of the points to their coordinates, float32 ``[m, d]`` on the CPU.
        count: Number of points.
        clusters: Number of clusters.
        iterations: Largest number of iterations; it ends earlier when no point changes its cluster.
        generator: Chooses the first centroids.

    Returns:
        Centroids, float32 ``[clusters, d]``, and the cluster of each point, int64 ``[count]``; every cluster has one.

    Raises:
        UsageError: For more clusters than points.
    """
    if clusters > count:
        raise UsageError(f"{clusters} clusters of {count} points", "choose fewer clusters than points")
    first = torch.randperm(count, generator=generator)[:clusters].tolist()
    centroids = torch.cat([points(slice(one, one + 1)) for one in first])
    labels = torch.full((count,), -1)
    for _ in range(iterations):
        before, labels, distance = labels, labels.clone(), torch.empty(count)
        sums = torch.zeros(centroids.shape, dtype=torch.float64)
        for rows in _blocks(count):
            x = points(rows)
            distances = centroids.square().sum(dim=1) - 2 * x @ centroids.T
            distance[rows], labels[rows] = distances.min(dim=1)
            distance[rows] += x.square().sum(dim=1)
            sums.index_add_(0, labels[rows], x.double())
        _fill_empty(labels, distance, sums, points)
        centroids = (sums / torch.bincount(labels, minlength=clusters)[:, None]).float()
        if torch.equal(labels, before):
            break
    return centroids, labels


def _fill_empty(labels: Tensor, distance: Tensor, sums: Tensor, points: Callable[[slice], Tensor]) -> None:
    """Move the farthest points of clusters with several points to the empty clusters; changes labels and sums."""
    sizes = torch.bincount(labels, minlength=len(sums))
    empty = torch.nonzero(sizes == 0).flatten().tolist()
    if not empty:
        return
    for row in distance.argsort(descending=True, stable=True).tolist():
        donor = int(labels[row])
        if sizes[donor] < 2:
            continue
        point, target = points(slice(row, row + 1))[0].double(), empty.pop()
        sums[donor] -= point
        sums[target] += point
        sizes[donor] -= 1
        sizes[target] += 1
        labels[row] = target
        if not empty:
            return


def _blocks(count: int) -> Iterator[slice]:
    return (slice(start, min(start + _ROWS, count)) for start in range(0, count, _ROWS))
