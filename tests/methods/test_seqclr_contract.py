"""SeqCLR in gradient caching, in two processes and resumed gives the gradients of the whole batch at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor, nn

from ssl_domains.encoders import RecurrentEncoder, create_encoder
from ssl_domains.inputs import Input, InputSpec, View, Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.methods.rows.instances import cut_instances, frames_of
from ssl_domains.methods.rows.unit_length import unit_length
from ssl_domains.methods.seqclr import SeqCLR
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.views.draws import Draws

WIDTHS = [5, 19, 3, 12, 27, 4, 1, 10, 16, 8, 31, 2, 9, 15, 3, 7]
LINES = InputSpec("line", 1, (4, None), pad=9.0)


def lines(positions: Tensor) -> Input:
    """Lines that are 4 pixels high, each of its own width."""
    noise = torch.Generator().manual_seed(2)
    every = [torch.rand(1, 1, 4, width, generator=noise) for width in WIDTHS]
    return Input.cat([Input(every[i], kind="line", ragged=(1,), pad=9.0) for i in positions.tolist()])


class LineRecipe:
    """Views of a line that differ by their contrast, which is emitted."""

    columns: ClassVar[tuple[str, ...]] = ()
    emitted: ClassVar[tuple[str, ...]] = ("contrast",)
    views = 2

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
            contrast = Draws(seed, step, slots, view, "contrast").between(0.5, 1.5)
            values = x.values * contrast[:, None, None, None].to(x.device)
            made.append(View(replace(x, values=values), {"contrast": contrast}))
        return made

    def to_dict(self) -> dict[str, Any]:
        return {"views": self.views}


class NoNorm(nn.Module):
    """Two convolutions without BatchNorm, so that micro-batches are allowed."""

    num_features = head_hidden_size = 6

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 5, 3, 2, padding=1), nn.Tanh(), nn.Conv2d(5, 6, 3, (2, 1), padding=1), nn.Tanh()
        )

    def forward_features(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.layers(x))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        return x.mean(dim=(2, 3))


def _recurrent() -> nn.Module:
    return RecurrentEncoder(NoNorm(), "no_norm", LINES, hidden=3)


def _with_batch_norm() -> nn.Module:
    return create_encoder("small_crnn", takes=LINES)


def _case(encoder: Callable[[], nn.Module] = _recurrent, rule: str = "none", **options: Any) -> MethodCase:
    options = {"norm": "layer", "windows": 3, **options}
    return MethodCase(SeqCLR, options, encoder, lines, recipe=LineRecipe(), rule=rule, head={**HEAD})


HEAD = {"hidden": 5, "out": 4, "layers": 2}
RULE = "(0.5*same('group') + same('site')).ignore((same('group') & ~same('sample')).across_parts())"


def frames() -> MethodCase:
    return _case(mapping="frame")


def windows_and_a_rule() -> MethodCase:
    return _case(mapping="window", rule=RULE)


def wholes_and_a_learned_temperature() -> MethodCase:
    return _case(mapping="all", learnable_temperature=True, rule="same('group') & within('contrast', 0.3)")


def batch_norm() -> MethodCase:
    return _case(_with_batch_norm, mapping="frame", norm="batch")


CASES = [frames, windows_and_a_rule, wholes_and_a_learned_temperature, batch_norm]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_it_keeps_the_contract(case: Callable[[], MethodCase]) -> None:
    check_method(case)


class CoversPadding(SeqCLR):
    """Cuts windows from all frames of the batch, padding included."""

    def embed(self, views: Views) -> Embeddings:
        rows = views.together
        features = self.encoder(rows.values, rows.valid)
        frames, valid = frames_of(replace(features, mask=None), 0)
        instances = cut_instances(frames, valid, self.mapping, self.windows)
        z = unit_length(self.head(instances.features))
        return Embeddings(z, features.pooled.detach()[: views.samples], of=instances.of, part=instances.part)


class OwnMean(SeqCLR):
    """Divides by the instances of its own process, of which each process has another number."""

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        return contrastive_loss(out.z, pairs(), 0.1, None if pairs.square else out.whole())


def covers_padding() -> MethodCase:
    return replace(_case(mapping="window"), method=CoversPadding)


def own_mean() -> MethodCase:
    return replace(_case(mapping="frame"), method=OwnMean)


@pytest.mark.parametrize(
    ("case", "said"),
    [
        (covers_padding, "gradient caching with 1 samples at a time: the gradient of step 1 is"),
        (own_mean, "two processes .*the gradient of step 1 is"),
    ],
)
def test_the_check_finds_instances_of_padding_and_a_mean_of_own_instances(
    case: Callable[[], MethodCase], said: str
) -> None:
    with pytest.raises(AssertionError, match=said):
        check_method(case)
