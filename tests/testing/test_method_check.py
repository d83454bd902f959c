"""`check_method` passes what keeps contract 3, and names what doesn't."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import pytest
import torch
import torch.nn.functional as F
from pydantic import BaseModel
from torch import Tensor, nn

import method_doubles as doubles
from method_doubles import Bootstrap, Correlation, Queue
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods import Embeddings, MethodOptions, RowPairs, SimCLR, Target, ViewPlan
from ssl_domains.testing import MethodCase, check_method

GOOD = [
    SimCLR,
    doubles.ragged_waves,
    doubles.wave_and_mel,
    doubles.seats,
    doubles.parts,
    Bootstrap,
    doubles.queue,
    Correlation,
    doubles.two_sizes,
    doubles.refreshed,
]


@pytest.mark.parametrize("target", GOOD, ids=lambda target: target.__name__)
def test_what_keeps_the_contract_passes(target: Any) -> None:
    check_method(target)


class LocalMean(SimCLR):
    """Divides by the anchors of its own process."""

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        return contrastive_loss(out.z, pairs(), 0.1, None if pairs.square else out.whole())


class WholeTwice(Correlation):
    """Returns a function of the whole batch as if it were its own share."""

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        return LossOutput.plain(self.statistic(out.whole()))


class LocalStatistic(Correlation):
    """Takes its own rows for the batch."""

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        return LossOutput.plain(out.of_all(self.statistic(out.z)))


class LocalQueue(Queue):
    """Stores the keys of its own process."""

    def after_step(self, out: Embeddings, progress: float) -> None:
        keys = out.targets["keys"]
        self.keys = torch.cat([keys, self.keys])[: len(self.keys)]
        self.samples = torch.cat([torch.arange(len(keys)), self.samples])[: len(self.keys)]


class Forgetful(SimCLR):
    """Keeps what it needs where no checkpoint looks."""

    remembered: float = 0.0

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        found = super().loss(out, pairs)
        return LossOutput(
            found.loss * (1 + self.remembered), found.per_relation, found.no_cross_positive, found.anchors
        )

    def after_step(self, out: Embeddings, progress: float) -> None:
        self.remembered = self.remembered + 0.5


class ActsInLoss(SimCLR):
    """A trained parameter that embed never sees."""

    def __init__(self, *words: Any, **options: Any) -> None:
        super().__init__(*words, **options)
        self.late = nn.Linear(4, 4)

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        z = F.normalize(self.late(out.z), dim=1)
        return contrastive_loss(z, pairs(), 0.1, None if pairs.square else out.whole(), total_anchors=out.total)


class SaysNoPairs(SimCLR):
    """Reads pairs, and says that it doesn't."""

    needs = ViewPlan(pairs=False)


class SaysPairs(Correlation):
    """Says that it reads pairs, and would let a rule be announced that it ignores."""

    needs = ViewPlan(pairs=True, unit_z=False)


class NotUnit(SimCLR):
    """Its embeddings have any length."""

    def embed(self, views: Views) -> Embeddings:
        out = super().embed(views)
        return Embeddings(out.z * 2, out.pooled)


class ImpureLoss(Queue):
    """Moves its queue in the loss."""

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        found = super().loss(out, pairs)
        self.samples.copy_(self.samples.roll(1))
        return found


class MovingEmbed(SimCLR):
    """Embeds differently from call to call, as gradient caching can't have it."""

    calls = 0

    def embed(self, views: Views) -> Embeddings:
        self.calls += 1
        rows = views.together
        pooled = self.encoder(rows.values, rows.valid).pooled
        return Embeddings(F.normalize(self.head(pooled) + self.calls, dim=1), pooled.detach()[: views.samples])


class Attached(SimCLR):
    """Hands over features with their graph."""

    def embed(self, views: Views) -> Embeddings:
        out = super().embed(views)
        rows = views.together
        return Embeddings(out.z, self.encoder(rows.values, rows.valid).pooled[: views.samples])


class PooledRows(SimCLR):
    """Pools one row a view instead of one a sample."""

    def embed(self, views: Views) -> Embeddings:
        out = super().embed(views)
        return Embeddings(out.z, out.pooled.repeat(2, 1))


class Misaligned(SimCLR):
    """Further rows that no row of z belongs to."""

    def embed(self, views: Views) -> Embeddings:
        out = super().embed(views)
        return Embeddings(out.z, out.pooled, more={"other": out.z[1:]})


class Repeated(SimCLR):
    """The same (of, part) for two rows."""

    def embed(self, views: Views) -> Embeddings:
        out = super().embed(views)
        return Embeddings(out.z, out.pooled, of=torch.arange(len(out.z)) // 2)


class DrawsNoise(SimCLR):
    """Random numbers that belong into a view."""

    def embed(self, views: Views) -> Embeddings:
        out = super().embed(views)
        return Embeddings(F.normalize(out.z + 0.01 * torch.randn_like(out.z), dim=1), out.pooled)


class Untold(MethodOptions):
    weight: float = 1.0


class NoDescription(SimCLR):
    """An option that nobody explains."""

    options: ClassVar[type[BaseModel]] = Untold

    @classmethod
    def build(cls, encoder: Any, options: Mapping[str, Any]) -> Self:
        return cls(encoder, nn.Linear(encoder.num_features, 4))


BAD: list[tuple[Any, str]] = [
    (LocalMean, "two processes .*the gradient of step 1 is"),
    (WholeTwice, "two processes .*twice too large"),
    (LocalStatistic, "two processes .*the gradient of step 1 is"),
    (LocalQueue, "two processes.*every process comes to the same state"),
    (Forgetful, "resumed .state that no buffer holds"),
    (ActsInLoss, "'late.weight' doesn't act in embed"),
    (SaysNoPairs, "needs.pairs is False, but its loss reads pairs"),
    (SaysPairs, "needs.pairs is True, but its loss never reads pairs"),
    (NotUnit, "z has length 1, or needs.unit_z is False"),
    (ImpureLoss, "loss changes no state"),
    (MovingEmbed, "embed gives the same twice"),
    (Attached, "`pooled` is detached"),
    (PooledRows, "`pooled` has one row a sample"),
    (Misaligned, "'other' has 15 rows"),
    (DrawsNoise, "draws random numbers outside nn.Dropout layers|embed gives the same twice"),
    (NoDescription, "the option 'weight' says what it does"),
]


@pytest.mark.parametrize(("target", "words"), BAD, ids=lambda value: getattr(value, "__name__", ""))
def test_what_breaks_a_rule_is_named(target: Any, words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_method(target)


class Descending(Queue):
    """Names the rows of its targets in no order."""

    def target(self, views: Views) -> Mapping[str, Target]:
        keys = super().target(views)["keys"]
        return {"keys": Target(keys.values.flip(0), keys.of.flip(0))}


def test_targets_ascend() -> None:
    with pytest.raises(UsageError, match="of the target 'keys'"):
        check_method(Descending, processes=False)


class EqualSharesByChance(doubles.Predicting):
    """A mean over the rows of its own process, which only unequal shares give away."""

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        logits = out.z @ out.whole("future").T / 0.2
        own = torch.searchsorted(pairs.whole.row, pairs.rows.row)
        return LossOutput.plain(out.of_all(F.cross_entropy(logits, own)))


def equal_shares() -> MethodCase:
    return replace(doubles.parts(), method=EqualSharesByChance)


def test_a_mean_over_own_rows_is_named_whatever_the_shares() -> None:
    with pytest.raises(AssertionError, match=r"two processes .*the gradient of step 1 is"):
        check_method(equal_shares)


def test_a_repeated_row_is_refused() -> None:
    with pytest.raises(UsageError, match=r"the same .of, part. twice"):
        check_method(Repeated, processes=False)


def test_a_tensor_of_the_whole_batch_is_z_itself_on_one_process() -> None:
    z: Tensor = torch.ones(3, 2)
    assert Embeddings(z, z).whole() is z
    with pytest.raises(UsageError, match="there are no rows 'keys'"):
        Embeddings(z, z).whole("keys")
