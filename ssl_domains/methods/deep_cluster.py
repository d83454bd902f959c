"""DeepCluster: the encoder's features are clustered, and a classifier learns the clusters of the samples.

Caron et al. 2018, Deep Clustering for Unsupervised Learning of Visual Features.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.refresh import Refresh, Refreshed
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.memory.k_means import Whitening, k_means
from ssl_domains.samples import SampleTable

__all__ = ["DeepCluster", "DeepClusterOptions"]


class DeepClusterOptions(MethodOptions):
    """Options of DeepCluster."""

    projection_head: ClassVar[bool] = False

    clusters: int = Field(default=100, ge=2, description="number of clusters; the paper takes ten for each class")
    every: int = Field(default=1, ge=1, description="epochs from one clustering to the next")
    dimensions: int = Field(default=256, ge=1, description="principal components of the features that are clustered")
    iterations: int = Field(default=20, ge=1, description="iterations of k-means")
    uniform: bool = Field(default=True, description="weigh all clusters equally in the loss")


class DeepCluster(Method):
    """Clusters all training samples before each epoch, and trains encoder and classifier on these pseudo-labels.

    The numbers of clusters are arbitrary, so the classifier starts anew after each clustering. Pseudo-labels and
    centroids are buffers, which a checkpoint holds. ``z`` are the logits.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=1, pairs=False, unit_z=False)
    options: ClassVar[type[BaseModel]] = DeepClusterOptions
    labels: Tensor
    sizes: Tensor
    centroids: Tensor
    refreshes: Tensor

    def __init__(self, encoder: Encoder, options: DeepClusterOptions) -> None:
        super().__init__()
        self.encoder = encoder
        self.chosen = options
        self.classifier = nn.Linear(encoder.num_features, options.clusters)
        self.register_buffer("labels", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("sizes", torch.ones(options.clusters, dtype=torch.int64))
        self.register_buffer("centroids", torch.zeros(options.clusters, 0))
        self.register_buffer("refreshes", torch.zeros((), dtype=torch.int64))
        state = ("labels", "sizes", "centroids", "refreshes", "classifier.weight", "classifier.bias")
        self.refresh = Refresh(self._cluster, every=options.every, state=state)

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        return cls(encoder, DeepClusterOptions(**{name: options[name] for name in DeepClusterOptions.model_fields}))

    def prepare(self, training: TrainingSet) -> None:
        """Make room for pseudo-labels and centroids; of few samples, few directions are whitened, as others are noise.

        Raises:
            UsageError: For more clusters than training samples.
        """
        if self.chosen.clusters > training.samples:
            hint = f"use --set method.clusters={max(2, training.samples // 10)}"
            raise UsageError(f"{self.chosen.clusters} clusters for {training.samples} training samples", hint)
        self.labels = torch.zeros(training.samples, dtype=torch.int64)
        dimensions = min(self.chosen.dimensions, self.encoder.num_features, max(1, training.samples // 4))
        self.centroids = torch.zeros(self.chosen.clusters, dimensions)

    def _cluster(self, features: Tensor, table: SampleTable) -> Refreshed:
        """Cluster the features ``[n, F]`` of all training samples, and draw a new classifier."""
        generator = torch.Generator().manual_seed(int(self.refreshes))
        whiten = Whitening.fit(features, self.centroids.shape[1])
        centroids, labels = k_means(
            lambda rows: whiten(features[rows]), len(features), self.chosen.clusters,
            iterations=self.chosen.iterations, generator=generator)  # fmt: skip
        state = {
            "labels": labels,
            "sizes": torch.bincount(labels, minlength=self.chosen.clusters),
            "centroids": centroids,
            "refreshes": self.refreshes + 1,
            "classifier.weight": 0.01 * torch.randn(self.classifier.weight.shape, generator=generator),
            "classifier.bias": torch.zeros(self.chosen.clusters),
        }
        return Refreshed(state=state)

    def embed(self, views: Views) -> Embeddings:
        """Logits of the clusters, ``z [views · b, clusters]``."""
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        logits = self.classifier(pooled)
        return Embeddings(logits.to(torch.promote_types(logits.dtype, torch.float32)), pooled.detach()[: views.samples])

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """Cross-entropy; with ``uniform``, a sample weighs in inverse proportion to the size of its cluster."""
        labels = self.labels[pairs.rows.sample.to(self.labels.device)]
        each = F.cross_entropy(out.z, labels, reduction="none")
        if self.chosen.uniform:
            each = each * (len(self.labels) / (self.chosen.clusters * self.sizes[labels])).to(each.dtype)
        return LossOutput.plain(each.sum() / out.total(torch.tensor(len(labels), device=each.device)))
