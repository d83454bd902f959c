"""Recurrent encoders of lines: the same frames alone, in a batch and with padding, and as many as `frames` says."""

from __future__ import annotations

import copy
import math

import numpy as np
import polars as pl
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ssl_domains.encoders import (
    Encoder,
    LocalEncoder,
    RecurrentEncoder,
    create_encoder,
    encoder_stages,
    feature_levels,
    first_stages,
)
from ssl_domains.encoders.recurrent.bi_lstm import BiLSTM
from ssl_domains.encoders.recurrent.columns import columns as columns_of
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.testing import check_encoder

LINES = InputSpec("line", 1, (32, None))
NAMES = ("small_crnn", "bilstm:small_conv", "bilstm:resnet18")


def made(name: str, takes: InputSpec = LINES, **options: int) -> RecurrentEncoder:
    encoder = create_encoder(name, takes=takes, seed=3, **options)
    assert isinstance(encoder, RecurrentEncoder)
    return encoder


def lines(widths: tuple[int, ...], height: int = 32) -> list[Tensor]:
    draws = torch.Generator().manual_seed(0)
    return [torch.rand(1, 1, height, width, generator=draws) for width in widths]


@pytest.mark.parametrize(
    ("name", "takes"),
    [
        *((name, LINES) for name in NAMES),
        ("small_crnn", InputSpec("line", 3, (48, None), pad=0.5)),
        ("small_crnn", InputSpec("line", 1, (None, None))),
        ("small_crnn", InputSpec("image", 1, (32, 96))),
        ("bilstm:resnet50", LINES),
        ("line_conv", LINES),
        ("line_conv", InputSpec("line", 3, (48, None), pad=0.5)),
        ("line_conv", InputSpec("line", 1, (None, None))),
        ("line_conv", InputSpec("image", 1, (32, 96))),
    ],
)
def test_padding_changes_nothing(name: str, takes: InputSpec) -> None:
    check_encoder(create_encoder(name, takes=takes, seed=3))


@pytest.mark.parametrize("layers", [1, 3])
def test_the_bilstm_is_that_of_torch_on_each_sequence_alone(layers: int) -> None:
    torch.manual_seed(0)
    ours, theirs = BiLSTM(5, 4, layers), nn.LSTM(5, 4, layers, batch_first=True, bidirectional=True)
    for number in range(layers):
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            for direction, ending in ((ours.ahead, ""), (ours.back, "_reverse")):
                value = getattr(direction[number], f"{name}_l0")
                getattr(theirs, f"{name}_l{number}{ending}").data.copy_(value)
    lengths = torch.tensor([7, 1, 4, 0])
    x = torch.randn(4, 7, 5)
    found = ours(x, lengths)
    for row, length in enumerate(lengths.tolist()):
        if length:
            torch.testing.assert_close(found[row, :length], theirs(x[row : row + 1, :length])[0][0])
    torch.testing.assert_close(ours(x), theirs(x)[0])


def band_means(features: Tensor, bands: int) -> Tensor:
    """``[B, F, H, T]`` to ``[B, bands · F, T]``: each row as often as there are bands, so that these divide them."""
    fine = features.repeat_interleave(bands, dim=2).unflatten(2, (bands, features.shape[2])).mean(dim=3)
    return fine.transpose(1, 2).flatten(1, 2)


@pytest.mark.parametrize("height", [1, 3, 4, 6, 9])
@pytest.mark.parametrize("bands", [1, 2, 4])
def test_columns_are_the_means_of_bands_of_the_valid_height(height: int, bands: int) -> None:
    features = torch.randn(2, 5, height, 7, dtype=torch.float64)
    expected = band_means(features, bands)
    columns, none = columns_of(features, None, bands)
    assert none is None
    torch.testing.assert_close(columns, expected)
    # Of padded samples, the bands divide the valid height alone; what lies in the padding counts nowhere.
    padded = torch.full((2, 5, height + 2, 9), 1e6, dtype=torch.float64)
    padded[:, :, :height, :7] = features
    mask = torch.zeros(2, 1, height + 2, 9, dtype=torch.bool)
    mask[:, :, :height, :7] = True
    mask[1, :, :, 4:] = False
    columns, valid = columns_of(padded, mask, bands)
    assert valid is not None
    assert valid[:, 0].sum(dim=1).tolist() == [7, 4]
    torch.testing.assert_close(columns[0, :, :7], expected[0])
    torch.testing.assert_close(columns[1, :, :4], expected[1, :, :4])
    assert not columns[1, :, 4:].any()


@pytest.mark.parametrize("name", NAMES)
def test_frames_are_the_networks_run_on_each_line_alone(name: str) -> None:
    """The reference has no masks: a plain convolutional network, the means of its bands, and torch's own BiLSTM."""
    encoder = made(name).eval()
    cnn = copy.deepcopy(encoder.model.cnn.model)  # its hooks mask only within the encoder
    hidden, count = encoder.num_features // 2, len(encoder.model.lstm.ahead)
    bands = encoder.model.bands
    assert bands == (4 if name == "small_crnn" else 1)
    lstm = nn.LSTM(bands * encoder.model.cnn.num_features, hidden, count, batch_first=True, bidirectional=True)
    for number in range(count):
        for direction, ending in ((encoder.model.lstm.ahead, ""), (encoder.model.lstm.back, "_reverse")):
            for key, value in direction[number].state_dict().items():
                getattr(lstm, key.replace("_l0", f"_l{number}{ending}")).data.copy_(value)
    samples = lines((97, 64, 5, 1))
    batch = Input.cat([Input(one, kind="line", ragged=(1,)) for one in samples]).padded([32, 130])
    values = torch.where(batch.with_valid(), batch.values, torch.nan)
    with torch.no_grad():
        features = encoder(values, batch.valid)
        assert features.mask is not None
        for row, line in enumerate(samples):
            expected = lstm(band_means(cnn.forward_features(line), bands).transpose(1, 2))[0][0]
            number = math.ceil(line.shape[-1] / 4)
            assert expected.shape == (number, encoder.num_features)
            assert features.mask[row, 0].tolist() == [place < number for place in range(math.ceil(130 / 4))]
            torch.testing.assert_close(features.map[row, :, :number].T, expected, rtol=1e-4, atol=1e-5)
            assert not features.map[row, :, number:].any()
            torch.testing.assert_close(features.pooled[row], expected.mean(dim=0), rtol=1e-4, atol=1e-5)


def test_frames_without_recurrence_see_three_columns_and_no_more() -> None:
    """The reference has no masks: the network, its four rows one below the other, and torch's own layers."""
    encoder = create_encoder("line_conv", takes=LINES, seed=3).eval()
    assert isinstance(encoder, LocalEncoder)
    cnn = copy.deepcopy(encoder.model.cnn.model)
    for line in lines((97, 64, 5, 1)):
        with torch.no_grad():
            found = encoder(line).map
            rows = cnn.forward_features(line)
            assert rows.shape[2] == 4
            context = encoder.model.context(torch.cat([rows[:, :, row] for row in range(4)], dim=1))
            expected = F.layer_norm(context.transpose(1, 2), (128,)).relu().transpose(1, 2)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    # A frame sees 23 pixels: 11 on each side of the one in its middle, which is the first of its four.
    line = lines((160,))[0].requires_grad_()
    encoder(line).map[0, :, 20].sum().backward()
    assert line.grad is not None
    seen = torch.nonzero(line.grad.abs().amax(dim=(0, 1, 2)))[:, 0]
    assert (int(seen.min()), int(seen.max())) == (80 - 11, 80 + 11)


@pytest.mark.parametrize(
    ("name", "takes", "stride"),
    [
        *((name, LINES, 4) for name in (*NAMES, "line_conv")),
        ("small_conv", LINES, 8),
        ("resnet18", LINES, 32),
        ("conv1d", InputSpec("wave", 1, (None,)), 64),
    ],
)
def test_the_number_of_frames_follows_from_the_width(name: str, takes: InputSpec, stride: int) -> None:
    encoder = create_encoder(name, takes=takes).train()
    assert encoder.stride == stride
    assert all(module.training for module in encoder.modules())
    widths = [1, stride - 1, stride, stride + 1, 100, 257]
    sides = [side or 0 for side in takes.space[:-1]]
    with torch.no_grad():
        run = [encoder.eval()(torch.rand(1, 1, *sides, width)).map.shape[-1] for width in widths]
    assert [encoder.frames(width) for width in widths] == run
    assert encoder.frames(np.array(widths)).tolist() == run
    assert encoder.frames(torch.tensor(widths)).tolist() == run
    assert encoder.frames(pl.Series(widths)).to_list() == run


def test_frames_of_lines_of_differing_width_are_in_the_ratio_of_the_widths() -> None:
    """Case T12: a line of 64 pixels beside one of 256."""
    encoder = made("small_crnn").eval()
    batch = Input.cat([Input(one, kind="line", ragged=(1,)) for one in lines((64, 256))])
    mask = encoder(batch.values, batch.valid).mask
    assert mask is not None
    short, long = mask.sum(dim=(1, 2)).tolist()
    assert (short, long) == (16, 64)


def test_strides_along_the_height_and_weights_stay_those_of_the_network() -> None:
    encoder, network = made("bilstm:resnet18"), create_encoder("resnet18", takes=LINES, seed=3)
    ours = encoder.model.cnn.model.state_dict()
    assert ours.keys() == network.model.state_dict().keys()
    assert all(torch.equal(ours[name], value) for name, value in network.model.state_dict().items())
    assert encoder.model.cnn(torch.rand(1, 1, 64, 256)).map.shape == (1, 512, 2, 64)
    assert network(torch.rand(1, 1, 64, 256)).map.shape == (1, 512, 2, 8)


@pytest.mark.parametrize("network", ["regnetx_002", "repvgg_a0", "mobilenetv2_050"])
def test_networks_of_other_kinds_get_frames_of_four_pixels_too(network: str) -> None:
    encoder = made(f"bilstm:{network}").eval()
    assert encoder.stride == 4
    assert encoder(torch.rand(1, 1, 32, 97)).map.shape == (1, encoder.num_features, 25)


def test_weights_come_from_the_seed() -> None:
    for name in NAMES[:2]:
        one, two, other = (create_encoder(name, seed=seed).state_dict() for seed in (4, 4, 5))
        assert all(torch.equal(value, two[key]) for key, value in one.items())
        changed = {key.split(".")[1] for key, value in one.items() if not torch.equal(value, other[key])}
        assert changed == {"cnn", "lstm"}


def test_form_of_the_input_without_takes() -> None:
    assert made("small_crnn", None).takes == LINES  # type: ignore[arg-type]
    assert create_encoder("small_crnn", 3).takes == InputSpec("line", 3, (32, None))
    assert create_encoder("bilstm:small_conv", 3, image_size=48).takes == InputSpec("image", 3, (48, 48))


def test_padding_of_a_canvas_changes_only_the_mask() -> None:
    encoder = made("small_crnn", InputSpec("image", 1, (32, 96))).eval()
    values, valid = torch.rand(1, 1, 32, 96), torch.ones(1, 1, 32, 96, dtype=torch.bool)
    valid[..., 40:] = False
    with torch.no_grad():
        with_valid, without = encoder(values, valid), encoder(values)
    torch.testing.assert_close(with_valid.map, without.map, rtol=0, atol=0)
    assert without.mask is None
    assert with_valid.mask is not None
    assert int(with_valid.mask.sum()) == 10


def test_stages_are_those_of_the_network_and_then_the_layers_of_the_bilstm() -> None:
    for name, stages in (("small_crnn", 4), ("bilstm:small_conv", 6), ("bilstm:resnet18", 7)):
        encoder = made(name)
        found = encoder_stages(encoder)
        assert len(found) == stages
        assert sorted(one for stage in found for one in stage) == sorted(dict(encoder.named_parameters()))
        assert all("lstm" in one for one in found[-1])


def test_frozen_first_stages_keep_their_statistics_while_the_others_train() -> None:
    encoder = made("small_crnn")
    encoder.freeze(first_stages(encoder, 2))
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    encoder.train()(torch.rand(2, 1, 32, 64)).pooled.sum().backward()
    assert {name.split(".")[4] for name, one in encoder.named_parameters() if not one.requires_grad} == {"0", "1"}
    assert all(one.grad is not None for one in encoder.model.lstm.parameters())
    moved = {name for name, value in encoder.state_dict().items() if not torch.equal(value, before[name])}
    assert {name.split(".")[4] for name in moved} == {"2"}


def test_segments_are_pooled_apart() -> None:
    plain, parts = (made("small_crnn", segments=segments).eval() for segments in (1, 4))
    check_encoder(parts)
    assert (parts.num_features, parts.map_features) == (512, 128)
    line = lines((64,))[0]
    with torch.no_grad():
        expected = plain(line).map.unflatten(2, (4, 4)).mean(dim=3)[0].T.flatten()
        torch.testing.assert_close(parts(line).pooled[0], expected)


def test_a_line_without_a_valid_column_has_no_frames_and_a_vector_of_zeros() -> None:
    encoder = made("small_crnn").eval()
    valid = torch.zeros(2, 1, 32, 20, dtype=torch.bool)
    valid[0, ..., :9] = True
    with torch.no_grad():
        features = encoder(torch.rand(2, 1, 32, 20), valid)
    assert features.mask is not None
    assert features.mask.sum(dim=(1, 2)).tolist() == [3, 0]
    assert not features.pooled[1].any()
    assert torch.isfinite(features.map).all()


def test_bfloat16_is_near_float32() -> None:
    encoder = made("small_crnn").eval()
    batch = Input.cat([Input(one, kind="line", ragged=(1,)) for one in lines((64, 100))])
    with torch.no_grad():
        exact = encoder(batch.values, batch.valid).pooled
        with torch.autocast("cpu", torch.bfloat16):
            near = encoder(batch.values, batch.valid).pooled
    assert float(F.cosine_similarity(exact, near.float()).min()) > 0.99


@pytest.mark.parametrize(
    ("name", "takes", "said", "hint"),
    [
        ("small_crnn", InputSpec("wave", 1, (None,)), "not inputs of 1 sides", "conv1d"),
        ("bilstm:resnet18", InputSpec("image", 1, (8, 8, 8)), "not inputs of 3 sides", "conv1d"),
        ("bilstm:conv1d", LINES, "'conv1d' is none", "known: resnet18"),
        ("bilstm:resnet81", LINES, "'resnet81' is none", "did you mean 'resnet18'"),
        ("bilstm:", LINES, "'' is none", "known: resnet18"),
        ("bilstm:vit_tiny_patch16_224", LINES, "lets every place attend to all others", "bilstm:small_conv"),
        ("bilstm:resnet18d", LINES, "with ceil_mode", "small_crnn"),
        ("bilstm:seresnet50", InputSpec("image", 1, (32, 64)), "weights the channels by an average", "small_crnn"),
    ],
)
def test_what_can_not_be_built_is_refused(name: str, takes: InputSpec, said: str, hint: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        create_encoder(name, takes=takes)
    assert hint in caught.value.hint
    assert "\n" not in caught.value.message


def test_small_crnn_has_no_pretrained_weights() -> None:
    with pytest.raises(UsageError, match="no pre-trained weights for the encoder 'small_crnn'"):
        create_encoder("small_crnn", init="pretrained")


def test_maps_of_stages_are_refused_and_the_last_map_is_given() -> None:
    encoder: Encoder = made("small_crnn").eval()
    line = lines((64,))[0]
    assert [one.shape for one in feature_levels(encoder, line, "last")] == [(1, 128, 16)]
    with pytest.raises(UsageError, match="doesn't give the maps of its stages"):
        feature_levels(encoder, line)
