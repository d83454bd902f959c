"""Methods that keep the contract, one for each thing that the contract allows; small, and no more than that."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from pydantic import BaseModel, Field
from torch import Tensor, nn

from ssl_domains.inputs import Input, View, Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods import (
    Embeddings,
    Method,
    MethodOptions,
    Refresh,
    Refreshed,
    RowPairs,
    SimCLR,
    Target,
    ViewPlan,
)
from ssl_domains.pairs import Rows
from ssl_domains.samples import SampleTable
from ssl_domains.testing import MethodCase
from ssl_domains.testing.method_case import SAMPLES, CaseEncoder
from ssl_domains.views import Noise, RandomResizedCrop, ViewRecipe
from ssl_domains.views.draws import Draws

LENGTHS = [5, 9, 3, 12, 7, 4, 1, 10, 6, 8, 11, 2, 9, 5, 3, 7]


def waves(positions: Tensor) -> Input:
    """Waves of one channel, each of its own length."""
    noise = torch.Generator().manual_seed(2)
    every = [torch.rand(1, 1, length, generator=noise) for length in LENGTHS]
    return Input.cat([Input(every[i], kind="wave", ragged=(0,), pad=9.0) for i in positions.tolist()])


class WaveRecipe:
    """Views of a wave that differ by their gain, which is emitted; with ``mel``, odd views are two bands of frames."""

    columns: ClassVar[tuple[str, ...]] = ()
    emitted: ClassVar[tuple[str, ...]] = ("gain",)

    def __init__(self, views: int = 2, mel: bool = False) -> None:
        self.views, self.mel = views, mel

    def views_of(
        self,
        x: Input,
        *beside: Input,
        seed: int,
        step: int,
        slots: Tensor,
        columns: Mapping[str, Tensor] | None = None,
        only: Sequence[int] | None = None,
    ) -> list[View]:
        made = []
        for view in range(self.views) if only is None else only:
            gain = Draws(seed, step, slots, view, "gain").between(0.5, 1.5)
            louder = replace(x, values=x.values * gain[:, None, None].to(x.device))
            mel = self.mel and view % 2 == 1
            made.append(View(_frames(louder) if mel else louder, {"gain": gain}, part=int(mel)))
        return made

    def to_dict(self) -> dict[str, Any]:
        return {"views": self.views}


def _frames(x: Input) -> Input:
    """Mean and square of two neighbouring values, where the first of them is data."""
    values, valid = torch.where(x.with_valid(), x.values, 0), x.with_valid()
    if values.shape[-1] % 2:
        values, valid = F.pad(values, (0, 1)), F.pad(valid, (0, 1))
    pairs = values.unflatten(-1, (-1, 2))
    bands = torch.cat([pairs.mean(-1), pairs.square().mean(-1)], dim=1)
    return Input(bands, valid.unflatten(-1, (-1, 2))[..., 0], "mel", (0,), -3.0)


# SimCLR on waves of different lengths, and on two kinds of input


def ragged_waves() -> MethodCase:
    rule = "same('group') & within('gain', 0.3)"
    return MethodCase(SimCLR, encoder=_wave_encoder, inputs=waves, recipe=WaveRecipe(), rule=rule)


def _wave_encoder() -> nn.Module:
    return CaseEncoder(1)


class TwoFormats(Method):
    """Wave against spectrogram of the same clip, an encoder each (Wang & van den Oord 2021)."""

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    @classmethod
    def build(cls, encoder: Any, options: Mapping[str, Any]) -> Self:
        return cls(encoder)

    def embed(self, views: Views) -> Embeddings:
        groups = views.by_shape()
        pooled = [self.encoder[g.input.kind](g.input.values, g.input.valid).pooled for g in groups]
        z = views.in_order(groups, [F.normalize(one, dim=1) for one in pooled])
        return Embeddings(z, torch.cat([one.detach()[: views.samples] for one in pooled], dim=1))

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        candidates = None if pairs.square else out.whole()
        return contrastive_loss(out.z, pairs(), 0.2, candidates, total_anchors=out.total)


def wave_and_mel() -> MethodCase:
    rule = "same('sample').across_parts() + same('group')"
    recipe = WaveRecipe(mel=True)
    return MethodCase(TwoFormats, encoder=_two_encoders, inputs=waves, recipe=recipe, rule=rule)


def _two_encoders() -> nn.Module:
    return nn.ModuleDict({"wave": CaseEncoder(1), "mel": CaseEncoder(2)})


# Seats: a query, a positive, a drawn negative


class Queries(SimCLR):
    """SimCLR of three views, each of another seat."""

    needs = ViewPlan(views=3, exact=True)


SEATS = ((3, 0, 9, 1, 5, 12, 7, 14), (0, 1, 3, 9, 6, 13, 13, 7), (2, 5, 8, 10, 0, 1, 3, 9))


def seats() -> MethodCase:
    return MethodCase(Queries, seats=SEATS, negatives=1)


# Parts: rows of frames, unequally many in the processes


class Predicting(Method):
    """The mean of a wave so far predicts its next frame, among all frames of the batch (van den Oord 2018)."""

    needs = ViewPlan(views=1, pairs=False)

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder
        self.predict = nn.Linear(encoder.num_features, encoder.num_features)

    @classmethod
    def build(cls, encoder: Any, options: Mapping[str, Any]) -> Self:
        return cls(encoder)

    def embed(self, views: Views) -> Embeddings:
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        frames = features.map.movedim(1, -1)
        here = rows.with_valid()[:, 0]
        context = frames.cumsum(1) / torch.arange(1, frames.shape[1] + 1, device=frames.device)[:, None]
        of, part = torch.nonzero(here[:, 1:], as_tuple=True)
        z = F.normalize(self.predict(context[of, part]), dim=1)
        future = F.normalize(frames[of, part + 1], dim=1)
        return Embeddings(z, features.pooled.detach(), more={"future": future}, of=of, part=part)

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        logits = out.z @ out.whole("future").T / 0.2
        own = torch.searchsorted(pairs.whole.row, pairs.rows.row).to(logits.device)
        each = F.cross_entropy(logits, own, reduction="sum")
        return LossOutput.plain(each / out.total(torch.tensor(len(own))))


def parts() -> MethodCase:
    return MethodCase(Predicting, encoder=_wave_encoder, inputs=waves, recipe=WaveRecipe(1))


# Targets of a momentum copy


class Bootstrap(Method):
    """A predictor against a momentum copy with BatchNorm and dropout (Grill et al. 2020)."""

    needs = ViewPlan(pairs=False, unit_z=False, exact=True)

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        width = encoder.num_features
        self.encoder = encoder
        self.predictor = nn.Sequential(nn.Linear(width, 5), nn.Tanh(), nn.Linear(5, width))
        self.copy = copy.deepcopy(encoder).requires_grad_(False)
        self.copy_head = nn.Sequential(nn.BatchNorm1d(width), nn.Dropout(0.3)).requires_grad_(False)

    @classmethod
    def build(cls, encoder: Any, options: Mapping[str, Any]) -> Self:
        return cls(encoder)

    def embed(self, views: Views) -> Embeddings:
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        return Embeddings(self.predictor(pooled), pooled.detach()[: views.samples])

    def target(self, views: Views) -> Mapping[str, Tensor]:
        rows = views.together
        return {"z": self.copy_head(self.copy(rows.values, rows.valid).pooled)}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        other = out.targets["z"].roll(len(out.z) // 2, 0)
        each = 2 - 2 * F.cosine_similarity(out.z, other, dim=1)
        return LossOutput.plain(each.sum() / out.total(torch.tensor(len(each))))

    def after_step(self, out: Embeddings, progress: float) -> None:
        momentum = 0.9 + 0.1 * progress
        for slow, fast in zip(self.copy.parameters(), self.encoder.parameters(), strict=True):
            slow.lerp_(fast, 1 - momentum)


class QueueOptions(MethodOptions):
    length: int = Field(default=20, ge=1, description="keys in the queue")
    momentum: float = Field(default=0.9, ge=0, le=1, description="of the copy")


class Queue(Method):
    """Queries of the first view against keys of the second and a queue of older keys (He et al. 2020)."""

    needs = ViewPlan(exact=True)
    options: ClassVar[type[BaseModel]] = QueueOptions

    def __init__(self, encoder: Any, length: int, momentum: float) -> None:
        super().__init__()
        self.encoder = encoder
        self.copy = copy.deepcopy(encoder).requires_grad_(False)
        self.momentum = momentum
        # What no key has filled yet may hold anything.
        self.register_buffer("keys", torch.full((length, encoder.num_features), torch.nan, dtype=torch.float64))
        self.register_buffer("samples", torch.full((length,), -1))

    def embed(self, views: Views) -> Embeddings:
        one = views[0]
        pooled = self.encoder(one.values, one.valid).pooled
        return Embeddings(F.normalize(pooled, dim=1), pooled.detach(), of=views.rows([0]))

    def target(self, views: Views) -> Mapping[str, Target]:
        other = views[1]
        return {"keys": Target(F.normalize(self.copy(other.values, other.valid).pooled, dim=1), views.rows([1]))}

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        whole = pairs.whole
        keys = replace(whole, view=torch.ones_like(whole.view), row=whole.row + int(whole.row.max()) + 1)
        candidates = Rows.cat([keys, Rows.stored(self.samples)])
        return contrastive_loss(
            out.z,
            pairs(pairs.rows, candidates),
            0.2,
            torch.cat([out.whole("keys"), self.keys]),
            total_anchors=out.total,
        )

    def after_step(self, out: Embeddings, progress: float) -> None:
        assert out.rows is not None
        for slow, fast in zip(self.copy.parameters(), self.encoder.parameters(), strict=True):
            slow.lerp_(fast, 1 - self.momentum)
        length = len(self.samples)
        self.keys = torch.cat([out.whole("keys"), self.keys])[:length]
        self.samples = torch.cat([out.rows.sample.to(self.samples.device), self.samples])[:length]


def queue() -> MethodCase:
    return MethodCase(Queue, rule="same('group').ignore(same('site'))")


# A statistic of the whole batch


class Correlation(Method):
    """The correlation of two views over the batch is to be the identity (Zbontar et al. 2021)."""

    needs = ViewPlan(pairs=False, unit_z=False, exact=True)

    def __init__(self, encoder: Any) -> None:
        super().__init__()
        self.encoder = encoder

    @classmethod
    def build(cls, encoder: Any, options: Mapping[str, Any]) -> Self:
        return cls(encoder)

    def embed(self, views: Views) -> Embeddings:
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        return Embeddings(pooled, pooled.detach()[: views.samples])

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        return LossOutput.plain(out.of_all(self.statistic(out.whole())))

    @staticmethod
    def statistic(z: Tensor) -> Tensor:
        one, two = ((half - half.mean(0)) / half.std(0) for half in z.chunk(2))
        correlation = one.T @ two / len(one)
        return (correlation - torch.eye(len(correlation), dtype=z.dtype, device=z.device)).square().sum()


# Views of two sizes


class MultiCrop(SimCLR):
    """SimCLR over two large and two small crops."""

    needs = ViewPlan(variants={"global": 2, "local": 2})

    def embed(self, views: Views) -> Embeddings:
        groups = views.by_shape()
        pooled = views.in_order(groups, [self.encoder(g.input.values, g.input.valid).pooled for g in groups])
        return Embeddings(F.normalize(self.head(pooled), dim=1), pooled.detach()[: views.samples])


def two_sizes() -> MethodCase:
    steps = (RandomResizedCrop(reason="place doesn't matter", scale=(0.4, 1.0)), Noise(reason="nor does noise"))
    return MethodCase(MultiCrop, recipe=ViewRecipe(steps, 4))


# A refresh that sets state


class Clustering(SimCLR):
    """Clusters of the encoder's features are positives; a classifier of clusters starts anew with them."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        width = self.encoder.num_features
        self.classifier = nn.Linear(width, 2, bias=False)
        self.register_buffer("centroids", torch.zeros(2, width, dtype=torch.float64))
        self.refresh = Refresh(self._compute, columns=("cluster",), state=("centroids", "classifier.weight"))

    def _compute(self, features: Tensor, table: SampleTable) -> Refreshed:
        assert len(features) == len(table) == SAMPLES
        wide = features.double()
        code = (wide[:, 0] > wide[:, 0].median()).long()
        centroids = torch.stack([wide[code == k].mean(0) for k in (0, 1)])
        return Refreshed(
            {"cluster": code.numpy()}, state={"centroids": centroids, "classifier.weight": centroids * 0.1}
        )

    def embed(self, views: Views) -> Embeddings:
        out = super().embed(views)
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        return replace(out, more={"logits": self.classifier(pooled - self.centroids.mean(0))})

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        contrast = super().loss(out, pairs)
        nearest = torch.cdist(out.more["logits"], self.centroids[:, :2]).argmin(1)
        each = F.cross_entropy(out.more["logits"], nearest, reduction="sum")
        return replace(contrast, loss=contrast.loss + each / out.total(torch.tensor(len(out.z))))


def refreshed() -> MethodCase:
    return MethodCase(Clustering, rule="same('cluster')")
