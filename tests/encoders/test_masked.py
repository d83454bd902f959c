"""Padding of a batch changes nothing in a masked network, and a network that lets it through is refused."""

from __future__ import annotations

import copy
import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders import MaskedEncoder, create_encoder
from ssl_domains.encoders.masking.valid_places import ValidPlaces
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder

MEL = InputSpec("mel", 1, (80, None), pad=-11.5)
LINES = InputSpec("line", 1, (32, None))
WAVES = InputSpec("wave", 2, (None,))


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        ("conv1d", WAVES),
        ("small_conv", MEL),
        ("small_conv", LINES),
        ("small_conv", InputSpec("picture", 3, (None, None))),
        ("resnet18", MEL),
        ("resnet18", LINES),
        ("resnet34", LINES),
        ("resnet50", MEL),
        ("resnet50", LINES),
    ],
)
def test_padding_changes_nothing(name: str, takes: InputSpec) -> None:
    encoder = create_encoder(name, takes=takes)
    assert isinstance(encoder, MaskedEncoder)
    assert (encoder.takes, encoder.in_chans) == (takes, takes.channels)
    check_encoder(encoder)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("seresnet50", r"layer1\.0\.se \(SEModule\): it weights the channels by an average over the whole map"),
        ("legacy_seresnet18", r"\(SEModule\): it weights the channels by an average"),
        ("resnet18d", r"layer2\.0\.downsample\.0 \(AvgPool2d\): with ceil_mode"),
        ("vit_tiny_patch16_224", r"blocks\.0\.attn \(Attention\): it lets every place attend to all others"),
        ("convnext_atto", r"stem\.0 \(Conv2d\): with kernel 4 and padding 0"),
        ("resnetblur18", r"\(BlurPool2d\): it is of a type that isn't known"),
        ("resnet50_gn", r"\(GroupNorm\w*\): it normalises over the places of a sample"),
    ],
)
def test_what_lets_padding_through_is_refused_with_layer_and_reason(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        create_encoder(name, takes=MEL)
    assert f"encoder {name!r} can't take inputs of differing length" in caught.value.message
    assert "conv1d" in caught.value.hint


def test_the_same_names_are_built_for_inputs_of_one_size() -> None:
    encoder = create_encoder("resnet18d", takes=InputSpec("image", 1, (32, 32)))
    assert encoder(torch.rand(2, 1, 32, 32)).pooled.shape == (2, encoder.num_features)


class _Net(nn.Module):
    """Two convolutions around a layer that is up for refusal."""

    num_features = 4

    def __init__(self, between: nn.Module) -> None:
        super().__init__()
        self.first = nn.Conv1d(1, 4, 3, 2, padding=1)
        self.between = between
        self.last = nn.Conv1d(4, 4, 3, padding=1)

    def forward_features(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.last(self.between(self.first(x))))

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        return x.mean(dim=2)


class _Centred(nn.Module):
    """Takes the average over the map away, as a function rather than a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.act(x - x.mean(dim=2, keepdim=True)))


class _OwnStatistics(nn.Module):
    """Keeps the mean of all places of the batch."""

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.act = nn.ReLU()
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            self.mean.copy_(x.detach().mean(dim=(0, 2)))
        return torch.as_tensor(self.act(x - self.mean[:, None]))


class _MaxHead(_Net):
    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        return x.amax(dim=2)


@pytest.mark.parametrize(
    ("net", "reason"),
    [
        (_Net(_Centred()), r"between \(_Centred\): a sample gives other numbers alone than padded"),
        (_Net(_OwnStatistics()), r"between \(_OwnStatistics\): its statistics in training"),
        (_Net(nn.GroupNorm(2, 4)), r"between \(GroupNorm\): it normalises over the places"),
        (_Net(nn.InstanceNorm1d(4)), r"between \(InstanceNorm1d\)"),
        (_Net(nn.Softmax(dim=2)), r"between \(Softmax\): it is of a type that isn't known"),
        (_Net(nn.Upsample(scale_factor=2)), r"between \(Upsample\): it is of a type that isn't known"),
        (_Net(nn.AdaptiveAvgPool1d(3)), r"between \(AdaptiveAvgPool1d\)"),
        (_Net(nn.AvgPool1d(3, 2, 1, count_include_pad=False)), r"between \(AvgPool1d\): with count_include_pad=False"),
        (_Net(nn.MaxPool1d(2)), r"between \(MaxPool1d\): with kernel 2 and padding 0"),
        (_Net(nn.MaxPool1d(3, 2, 1, ceil_mode=True)), r"between \(MaxPool1d\): with ceil_mode"),
        (
            _Net(nn.Conv1d(4, 4, 3, padding=1, padding_mode="reflect")),
            r"between \(Conv1d\): its padding_mode 'reflect'",
        ),
        (_MaxHead(nn.ReLU()), r"_MaxHead: its head does more than average the map"),
    ],
)
def test_layers_that_let_padding_through_are_named(net: nn.Module, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        MaskedEncoder(net, "net", InputSpec("wave", 1, (None,)))


@pytest.mark.parametrize(
    "between",
    [
        nn.MaxPool1d(3, 2, 1),
        nn.AvgPool1d(3, 2, 1),
        nn.Conv1d(4, 4, 5, dilation=2, padding="same"),
        nn.Conv1d(4, 4, 7, 3, padding=3, groups=2),
        nn.Sequential(nn.BatchNorm1d(4), nn.GELU(), nn.Dropout(0.5)),
    ],
)
def test_layers_that_follow_the_valid_length_are_taken(between: nn.Module) -> None:
    check_encoder(MaskedEncoder(_Net(between), "net", InputSpec("wave", 1, (None,))))


def test_two_ways_of_one_size_but_other_lengths_are_an_error() -> None:
    valid = (torch.arange(5) < 4).view(1, 1, 5)
    places = ValidPlaces(valid, (0,), strict=True)
    places.follow((5,), (2,), (3,))
    with pytest.raises(UsageError, match=r"two ways .* size \[2\]"):
        places.follow((5,), (2,), (4,))


def test_a_map_of_another_size_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"a map of size \[7\] doesn't follow"):
        ValidPlaces(torch.ones(1, 1, 5, dtype=torch.bool), (0,)).padding((7,))


def test_valid_lengths_are_those_that_a_strided_layer_gives() -> None:
    for stride, kernel in [(1, 3), (2, 1), (2, 3), (3, 7), (4, 9)]:
        layer = nn.Conv1d(1, 1, kernel, stride, padding=kernel // 2)
        lengths = torch.arange(1, 41)
        places = ValidPlaces(torch.arange(40)[None, None] < lengths[:, None, None], (0,))
        size = tuple(layer(torch.zeros(1, 1, 40)).shape[2:])
        places.follow((40,), size, (stride,))
        alone = [layer(torch.zeros(1, 1, int(n))).shape[2] for n in lengths]
        assert places.lengths(size)[:, 0].tolist() == alone
        assert (~places.padding(size)).sum(dim=(1, 2)).tolist() == alone


def _batch(lengths: list[int], width: int) -> tuple[list[Tensor], Tensor, Tensor]:
    """Samples ``[1, 8, n]`` alone, and padded with NaN in one batch with their validity; float64."""
    generator = torch.Generator().manual_seed(0)
    alone = [torch.randn(1, 8, n, dtype=torch.float64, generator=generator) for n in lengths]
    values = torch.full((len(lengths), 1, 8, width), math.nan, dtype=torch.float64)
    valid = torch.zeros(len(lengths), 1, 8, width, dtype=torch.bool)
    for row, one in enumerate(alone):
        values[row, ..., : one.shape[2]] = one
        valid[row, ..., : one.shape[2]] = True
    return alone, values, valid


def test_training_is_a_brute_force_over_samples_without_padding() -> None:
    """Statistics of each BatchNorm: over the joined places of all samples, each convolved alone, in float64."""
    encoder = create_encoder("small_conv", takes=InputSpec("line", 1, (8, None)), seed=3).double().train()
    alone, values, valid = _batch([1, 5, 16, 9], 23)
    stages = copy.deepcopy(encoder.model.stages)
    maps = alone
    expected = {}
    for number, (convolution, norm, _) in enumerate(stages):
        maps = [convolution(one[None])[0] for one in maps]
        points = torch.cat([one.flatten(1) for one in maps], dim=1)
        mean, var = points.mean(dim=1), points.var(dim=1, correction=0)
        expected[f"stages.{number}.1.running_mean"] = 0.1 * mean
        expected[f"stages.{number}.1.running_var"] = 0.9 + 0.1 * points.var(dim=1)
        scale, shift = norm.weight[:, None, None], norm.bias[:, None, None]
        maps = [
            F.relu((one - mean[:, None, None]) / torch.sqrt(var[:, None, None] + norm.eps) * scale + shift)
            for one in maps
        ]
    pooled = torch.stack([one.mean(dim=(1, 2)) for one in maps])
    features = encoder(values, valid)
    torch.testing.assert_close(features.pooled, pooled, rtol=1e-10, atol=1e-12)
    state = encoder.model.state_dict()
    for name, value in expected.items():
        torch.testing.assert_close(state[name], value, rtol=1e-10, atol=1e-12)

    weights = torch.arange(1.0, 129.0, dtype=torch.float64)
    (features.pooled.square() * weights).sum().backward()
    (pooled.square() * weights).sum().backward()
    for (name, one), two in zip(encoder.model.stages.named_parameters(), stages.parameters(), strict=True):
        torch.testing.assert_close(one.grad, two.grad, rtol=1e-8, atol=1e-10, msg=name)


def test_weights_and_their_names_are_those_of_the_picture_encoder() -> None:
    masked, plain = create_encoder("resnet18", takes=LINES, seed=5), create_encoder("resnet18", 1, seed=5)
    one, two = masked.state_dict(), plain.state_dict()
    assert list(one) == list(two)
    assert all(name.startswith("model.") for name in one)
    assert all(torch.equal(one[name], two[name]) for name in one)
    x = torch.rand(2, 1, 32, 64)
    whole = torch.ones(2, 1, 32, 64, dtype=torch.bool)
    with torch.no_grad():
        expected = plain.eval()(x).pooled
        torch.testing.assert_close(masked.eval()(x).pooled, expected)
        torch.testing.assert_close(masked(x, whole).pooled, expected)


def test_hooks_and_global_generator_are_left_alone_between_calls() -> None:
    before = torch.get_rng_state()
    encoder = create_encoder("small_conv", takes=LINES)
    assert torch.equal(before, torch.get_rng_state())
    assert encoder.training
    x = torch.rand(1, 1, 32, 24)
    valid = torch.arange(24).expand(1, 1, 32, 24) < 11
    encoder.eval()
    with torch.no_grad():
        whole = encoder(x).pooled
        assert not torch.equal(encoder(x, valid).pooled, whole)
        assert torch.equal(encoder(x).pooled, whole)


def test_lower_precision_keeps_its_type_and_padding_out() -> None:
    encoder = create_encoder("resnet18", takes=LINES).train()
    x = torch.rand(3, 1, 32, 70)
    valid = torch.arange(70).expand(3, 1, 32, 70) < torch.tensor([70, 33, 64])[:, None, None, None]
    results = []
    for padding in (0.0, math.nan):
        with torch.autocast("cpu", torch.bfloat16):
            features = copy.deepcopy(encoder)(x.masked_fill(~valid, padding), valid)
        assert features.pooled.dtype == features.map.dtype
        results.append(features.pooled)
    assert torch.isfinite(results[0]).all()
    assert torch.equal(*results)


def test_a_copy_has_masks_of_its_own() -> None:
    encoder = create_encoder("conv1d", takes=WAVES).eval()
    momentum = copy.deepcopy(encoder)
    with torch.no_grad():
        for parameter in encoder.parameters():
            parameter.zero_()
    x = torch.rand(2, 2, 300)
    valid = torch.arange(300).expand(2, 1, 300) < torch.tensor([300, 70])[:, None, None]
    with torch.no_grad():
        pooled = momentum(x, valid).pooled
        torch.testing.assert_close(pooled[1], momentum(x[1:, :, :70]).pooled[0])


def test_missing_places_before_the_end_count_as_zeros_and_a_sample_without_any_is_zero() -> None:
    encoder = create_encoder("conv1d", takes=WAVES).eval()
    x = torch.rand(2, 2, 200)
    valid = torch.ones(2, 1, 200, dtype=torch.bool)
    valid[0, :, 50:60] = False
    valid[1] = False
    zeros = x[:1].clone()
    zeros[..., 50:60] = 0
    x[0, :, 50:60] = math.nan
    with torch.no_grad():
        features = encoder(x, valid)
        torch.testing.assert_close(features.pooled[0], encoder(zeros).pooled[0])
    assert features.pooled[1].abs().sum() == 0
    assert features.mask is not None
    assert features.mask[0].all()
    assert not features.mask[1].any()
