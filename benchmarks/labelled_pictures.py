"""Pictures as an encoder sees them, with their class, and the k-NN and linear accuracy of an encoder on them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from lightly.transforms.utils import IMAGENET_NORMALIZE
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor, nn

from ssl_domains.probes import KnnProbe, Labels, LinearProbe, read_labels
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, ImagePreprocess, Scaling

__all__ = ["LabelledPictures", "knn_accuracy", "linear_accuracy", "t_interval"]


@dataclass(frozen=True)
class LabelledPictures:
    """Pictures of a table.

    Attributes:
        images: float32 ``[n, 3, S, S]`` in [0, 1].
        labels: Their classes.
    """

    images: Tensor
    labels: Labels

    @classmethod
    def of(cls, table: SampleTable, store: ArrayStore, size: int) -> LabelledPictures:
        """Those of a table with the column ``class``."""
        preprocess = ImagePreprocess(Scaling().fit(table, store), Canvas(size), 3)
        samples = store.of(table)
        images = torch.cat([preprocess(samples[row]).values for row in range(len(table))])
        return cls(images, read_labels(table.column("class")))

    def features(self, encoder: nn.Module, *, imagenet: bool = False) -> NDArray[np.float32]:
        """``[n, F]``; ``imagenet``: of pictures scaled as lightly's transform does."""
        mean, std = (torch.tensor(x)[:, None, None] for x in (IMAGENET_NORMALIZE["mean"], IMAGENET_NORMALIZE["std"]))
        images = (self.images - mean) / std if imagenet else self.images
        with torch.no_grad():
            encoder.eval()
            return torch.cat([encoder(some).pooled for some in torch.split(images, 512)]).numpy()


def knn_accuracy(
    encoder: nn.Module, known: LabelledPictures, asked: LabelledPictures, *, imagenet: bool = False
) -> float:
    """Percent of the pictures whose 20 nearest neighbours, by cosine, vote for their class."""
    features = [part.features(encoder, imagenet=imagenet) for part in (known, asked)]
    (votes,) = KnnProbe().answers(features[0], known.labels, features[1], [{"k": 20.0}])
    return float(100 * (votes.values.argmax(1) == asked.labels.y).mean())


def linear_accuracy(encoder: nn.Module, known: LabelledPictures, asked: LabelledPictures) -> float:
    """Percent of the pictures that logistic regression (C = 1) on the features puts into their class."""
    features = [part.features(encoder) for part in (known, asked)]
    (found,) = LinearProbe().answers(features[0], known.labels, features[1], [{"C": 1.0}])
    return float(100 * (found.values.argmax(1) == asked.labels.y).mean())


def t_interval(values: NDArray[np.float64], level: float = 0.9) -> tuple[float, float]:
    """Interval of the mean of values that vary like a normal distribution."""
    if len(values) < 2:
        return float("-inf"), float("inf")
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)
