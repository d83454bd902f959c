"""The check of encoders catches one bad double for each clause of the contract."""

from __future__ import annotations

import itertools

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, Features, create_encoder, masked_mean
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder

WAVE = InputSpec("wave", 1, (None,))


class Double(Encoder):
    """Two convolutions, masked by hand; each subclass does one thing wrong."""

    def __init__(self, takes: InputSpec = WAVE, width: int = 6) -> None:
        model = nn.ModuleDict(
            {
                "first": nn.Conv1d(1, 6, 5, 2, padding=2),
                "norm": nn.BatchNorm1d(6),
                "last": nn.Conv1d(6, 6, 3, padding=1),
            }
        )
        super().__init__(model, "double", takes, width)

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        valid = torch.ones_like(values[:, :1], dtype=torch.bool) if valid is None else valid
        mask = self.halved(valid)
        x = self.normalised(self.model["first"](values.masked_fill(~valid, 0.0)), mask)
        features = self.model["last"](self.between(F.relu(x), mask))
        return Features(self.pooled(features, mask), features, self.reported(mask))

    def halved(self, valid: Tensor) -> Tensor:
        return valid[..., ::2]

    def normalised(self, x: Tensor, mask: Tensor) -> Tensor:
        points = x.movedim(1, -1)[mask[:, 0]]
        out = torch.zeros_like(x.movedim(1, -1))
        out[mask[:, 0]] = self.model["norm"](points)
        return out.movedim(-1, 1)

    def between(self, x: Tensor, mask: Tensor) -> Tensor:
        return x.masked_fill(~mask, 0.0)

    def pooled(self, features: Tensor, mask: Tensor) -> Tensor:
        return masked_mean(features.masked_fill(~mask, 0.0), mask)

    def reported(self, mask: Tensor) -> Tensor | None:
        return mask


class UnmaskedConvolution(Double):
    def normalised(self, x: Tensor, mask: Tensor) -> Tensor:
        return torch.as_tensor(self.model["norm"](x)) if not self.training else super().normalised(x, mask)

    def between(self, x: Tensor, mask: Tensor) -> Tensor:
        return x


class UnmaskedInput(Double):
    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        features = super().forward(values, valid)
        return Features(features.pooled, features.map + 0 * self.model["first"](values).mean(), features.mask)


class PoolsPadding(Double):
    def pooled(self, features: Tensor, mask: Tensor) -> Tensor:
        return features.masked_fill(~mask, 0.0).mean(dim=2)


class StatisticsOfPadding(Double):
    def normalised(self, x: Tensor, mask: Tensor) -> Tensor:
        return torch.as_tensor(self.model["norm"](x))


class OneMore(Double):
    def __init__(self) -> None:
        super().__init__(width=7)


class LongMask(Double):
    def reported(self, mask: Tensor) -> Tensor:
        return mask | F.pad(mask[..., :-1], (1, 0))


class NoMask(Double):
    def reported(self, mask: Tensor) -> Tensor | None:
        return None if not mask.all() else mask


class ByteMask(Double):
    def reported(self, mask: Tensor) -> Tensor:
        return mask.byte()


class MaskOfInput(Double):
    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        features = super().forward(values, valid)
        return Features(features.pooled, features.map, valid)


class GradientOfPadding(Double):
    """Its values are right: what comes from padding is added and taken away again, detached."""

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        features = super().forward(values, valid)
        some = values.nan_to_num(posinf=1.0).sum(dim=(1, 2), keepdim=True)[:, 0]
        return Features(features.pooled + (some - some.detach()), features.map, features.mask)


class NoGradient(Double):
    def pooled(self, features: Tensor, mask: Tensor) -> Tensor:
        return super().pooled(features.detach(), mask)

    def between(self, x: Tensor, mask: Tensor) -> Tensor:
        return super().between(x, mask).detach()


class Random(Double):
    def pooled(self, features: Tensor, mask: Tensor) -> Tensor:
        return super().pooled(features, mask) + torch.rand(1)


class HiddenState(Double):
    """A scale that is no buffer, and another one in each new encoder."""

    scales = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.scale = next(self.scales)

    def __deepcopy__(self, memo: dict[int, object]) -> HiddenState:
        copied = HiddenState()
        copied.load_state_dict(self.state_dict())
        return copied

    def pooled(self, features: Tensor, mask: Tensor) -> Tensor:
        return super().pooled(features, mask) * self.scale


class LeftOut(Double):
    """Keeps a factor that a pickle forgets."""

    def __init__(self) -> None:
        super().__init__()
        self.factor = 2.0

    def __reduce__(self) -> object:
        return _rebuilt, (self.state_dict(),)

    def __deepcopy__(self, memo: dict[int, object]) -> LeftOut:
        copied = LeftOut()
        copied.load_state_dict(self.state_dict())
        return copied

    def pooled(self, features: Tensor, mask: Tensor) -> Tensor:
        return super().pooled(features, mask) * self.factor


def _rebuilt(state: dict[str, Tensor]) -> LeftOut:
    encoder = LeftOut()
    encoder.load_state_dict(state)
    encoder.factor = 1.0
    return encoder.eval()


class Tuples(Double):
    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        return (super().forward(values, valid).pooled,)  # type: ignore[return-value]


def test_a_right_encoder_passes_and_is_left_as_it_is() -> None:
    encoder = Double().train()
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    generator = torch.get_rng_state()
    check_encoder(encoder)
    assert encoder.training
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
    assert torch.equal(torch.get_rng_state(), generator)


@pytest.mark.parametrize(
    ("double", "clause"),
    [
        (UnmaskedConvolution, "gives the same map alone and in a batch .* as a layer sees padding"),
        (UnmaskedInput, "gives the same map alone and in a batch padded with (inf|nan)"),
        (PoolsPadding, "gives the same vector alone and in a batch .* as the pooling sees padding"),
        (
            StatisticsOfPadding,
            r"statistics in training don't depend on padding: model\.norm\.running_(mean|var) changes",
        ),
        (OneMore, "`num_features` is the width of the pooled features: declared 7"),
        (LongMask, r"a sample of \[1\] places has a map of \[1\] places alone; `mask` has 2"),
        (NoMask, "`mask` says which places of the map are valid in a batch .* it is None"),
        (ByteMask, "`mask` is bool, not torch.uint8"),
        (MaskOfInput, r"`mask` is \[B, 1, \*space\] of the map"),
        (GradientOfPadding, "the gradient by padding is 0, not 6"),
        (NoGradient, "gradient by the input"),
        (Random, "two calls in evaluation mode give the same bits"),
        (HiddenState, "`state_dict` holds all that the features depend on"),
        (LeftOut, "an encoder survives pickling"),
        (Tuples, "`forward` returns Features, not tuple"),
    ],
)
def test_each_fault_is_named(double: type[Double], clause: str) -> None:
    with pytest.raises(AssertionError, match=clause):
        check_encoder(double())


def test_an_unmasked_network_of_timm_fails_on_ragged_input() -> None:
    plain = create_encoder("small_conv", 1)
    check_encoder(plain)
    with pytest.raises(AssertionError, match="as a layer sees padding"):
        check_encoder(plain, InputSpec("mel", 1, (32, None)))


def test_declarations_of_another_kind_are_named() -> None:
    with pytest.raises(AssertionError, match="an encoder is an `Encoder`, not Linear"):
        check_encoder(nn.Linear(2, 2))  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match="`takes` is an InputSpec"):
        check_encoder(Double(takes=None))  # type: ignore[arg-type]
    nameless = Double()
    nameless.name = ""
    with pytest.raises(AssertionError, match="`name` is what"):
        check_encoder(nameless)


@pytest.mark.parametrize(("name", "size"), [("small_conv", 32), ("vit_tiny_patch16_224", 32)])
def test_encoders_of_one_size_are_checked_without_padding(name: str, size: int) -> None:
    check_encoder(create_encoder(name, 2, image_size=size))
