"""Masked prediction: what is hidden, what the encoder gets, and the loss, each against a plain loop."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import timm
import torch
from torch import Tensor, nn

from method_doubles import LENGTHS, WaveRecipe, waves
from ssl_domains.encoders import Features, TimmEncoder, create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec, View, Views
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.methods.masked import Masked
from ssl_domains.methods.masking.masks import grid_mask, sequence_mask
from ssl_domains.pairs import Objective, Rows
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.testing.method_case import CaseEncoder
from ssl_domains.views import Noise, ViewRecipe


def vit(**changes: Any) -> TimmEncoder:
    small = {"img_size": 4, "patch_size": 2, "embed_dim": 16, "depth": 2, "num_heads": 2, "num_classes": 0, **changes}
    return TimmEncoder(timm.create_model("vit_tiny_patch16_224", **small), "vit", InputSpec("image", 3, (4, 4)))


def vit_of_means() -> TimmEncoder:
    return vit(class_token=False, global_pool="avg")


class WaveEncoder(CaseEncoder):
    """Reads waves in windows of two steps, each with its neighbours on both sides."""

    def __init__(self) -> None:
        super().__init__(1)
        self.takes = InputSpec("wave", 1, (None,), pad=9.0)
        self.window = nn.Conv1d(1, 1, 6, 2, 2, bias=False)

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Features:
        valid = torch.ones_like(values, dtype=torch.bool) if valid is None else valid
        values = torch.where(valid, values.to(self.first.weight.dtype), 0)
        values, valid = (nn.functional.pad(one, (0, one.shape[-1] % 2)) for one in (values, valid))
        valid = valid[..., ::2]
        places = self.last(torch.tanh(self.first(self.window(values).movedim(1, -1)))).movedim(-1, 1)
        places = torch.where(valid, places, 0)
        return Features(places.sum(dim=2) / valid.sum(dim=2).clamp(min=1), places, valid)


def wave_encoder() -> nn.Module:
    return WaveEncoder()


def simmim() -> MethodCase:
    return MethodCase(Masked, encoder=vit)


def mae() -> MethodCase:
    options = {"form": "mae", "ratio": 0.5, "normalise": True, "decoder_width": 8, "decoder_depth": 1}
    recipe = ViewRecipe((Noise(reason="so that views differ"),), 4, 2)
    return MethodCase(Masked, options, encoder=vit_of_means, recipe=recipe)


def sequences() -> MethodCase:
    return MethodCase(Masked, encoder=wave_encoder, inputs=waves, recipe=WaveRecipe(1))


@pytest.mark.parametrize("target", [simmim, mae, sequences], ids=lambda target: target.__name__)
def test_it_keeps_the_contract(target: Any) -> None:
    check_method(target)


# Masks


def keys(rows: int, seed: int = 0) -> Tensor:
    return torch.randint(-(2**62), 2**62, (rows,), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("ratio", "block", "masked"), [(0.6, 1, 14), (0.75, 2, 16), (0.001, 2, 4), (0.99, 1, 23)])
def test_every_row_of_a_grid_has_the_same_number_of_masked_squares(ratio: float, block: int, masked: int) -> None:
    mask = grid_mask(keys(50), (4, 6), ratio, block)
    assert mask.sum(dim=1).tolist() == [masked] * 50
    squares = mask.view(50, 4 // block, block, 6 // block, block).transpose(2, 3).flatten(3)
    assert bool((squares.all(dim=3) == squares.any(dim=3)).all())
    assert len({tuple(row) for row in mask.tolist()}) > 1


def test_all_patches_are_masked_equally_often() -> None:
    share = grid_mask(keys(4000), (3, 4), 0.5, 1).double().mean(dim=0)
    assert bool(((share - 0.5).abs() < 0.05).all())


def test_a_row_of_a_sequence_has_the_same_mask_with_more_padding() -> None:
    lengths = torch.tensor([0, 1, 2, 3, 9, 10])
    for extra in (0, 7):
        whole = torch.arange(10 + extra) < lengths[:, None]
        mask = sequence_mask(keys(6), whole, 0.6, 2)
        if not extra:
            shorter = mask
        assert torch.equal(mask[:, :10], shorter)
        assert not bool(mask[:, 10:].any())
        assert not bool((mask & ~whole).any())
    stretches = shorter[:, ::2].sum(dim=1).tolist()
    assert stretches == [0, 0, 0, 1, 3, 3]  # of 0, 1, 1, 2, 5 and 5


# Pictures


def of_method(model: Masked, out: Embeddings, samples: int) -> float:
    rows = Rows.of(torch.arange(samples), views=1)
    bound = Objective().bind({"x": list(range(samples))})
    return float(model.loss(out, RowPairs(bound, rows, rows, torch.device("cpu"))).loss.detach())


def built(encoder: Any, **options: Any) -> Masked:
    torch.manual_seed(1)
    model = Masked.build(encoder, {**Masked.options().model_dump(), **options}).eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def with_keys(values: Tensor, valid: Tensor | None = None, **fields: Any) -> Views:
    return Views((View(Input(values, valid, **fields), keys=keys(len(values))),))


@pytest.mark.parametrize("form", ["simmim", "mae"])
def test_predictions_are_of_the_hidden_patches_and_depend_on_the_shown_ones_alone(form: str) -> None:
    model = built(vit(), form=form, ratio=0.5, decoder_width=8)
    pictures = torch.rand(5, 3, 4, 4)
    out = model.embed(with_keys(pictures))
    mask = grid_mask(keys(5), (2, 2), 0.5, 1)
    assert out.of is not None
    assert out.part is not None
    expected = [(i, n) for i in range(5) for n in range(4) if mask[i, n]]
    assert list(zip(out.of.tolist(), out.part.tolist(), strict=True)) == expected
    changed = pictures.clone()
    total = 0.0
    for row, (i, n) in enumerate(expected):
        y, x = 2 * (n // 2), 2 * (n % 2)
        patch = pictures[i, :, y : y + 2, x : x + 2].flatten()
        torch.testing.assert_close(out.more["truth"][row], patch)
        changed[i, :, y : y + 2, x : x + 2] = torch.rand(3, 2, 2)
        gap = out.z[row].detach() - patch
        total += float(gap.abs().sum() if form == "simmim" else gap.square().sum())
    assert of_method(model, out, 5) == pytest.approx(total / (len(expected) * 12), rel=1e-5)
    again = model.embed(with_keys(changed))
    torch.testing.assert_close(again.z, out.z)
    torch.testing.assert_close(again.pooled, out.pooled)
    shown = pictures + (1 - mask.view(5, 1, 2, 2).repeat_interleave(2, 2).repeat_interleave(2, 3).float())
    assert not torch.allclose(model.embed(with_keys(shown)).z, out.z)


def test_the_whole_encoder_sees_what_it_would_without_a_mask_token() -> None:
    model = built(vit(), ratio=0.25)
    assert model.hidden is not None
    pictures = torch.rand(3, 3, 4, 4)
    mask = grid_mask(keys(3), (2, 2), 0.25, 1)
    patches = model.encoder.model.patch_embed(pictures)  # type: ignore[operator, union-attr]
    # With the patch's own embedding for the hidden vector, features are those of the whole picture.
    one = int(mask[0].nonzero())
    with torch.no_grad():
        model.hidden.copy_(patches[0, one])
    whole = model.encoder(pictures[:1]).pooled
    alone = View(Input(pictures[:1]), keys=keys(3)[:1])
    torch.testing.assert_close(model.embed(Views((alone,))).pooled, whole.detach())


def test_normalised_patches_have_mean_zero_and_variance_one() -> None:
    truth = built(vit(), normalise=True).embed(with_keys(torch.rand(4, 3, 4, 4))).more["truth"]
    torch.testing.assert_close(truth.mean(dim=1), torch.zeros(len(truth)), atol=1e-5, rtol=0)
    torch.testing.assert_close(truth.var(dim=1), torch.ones(len(truth)), atol=1e-3, rtol=0)


def test_patches_with_missing_pixels_are_never_predicted() -> None:
    valid = torch.ones(6, 1, 4, 4, dtype=torch.bool)
    valid[:, :, 3, 0] = False
    out = built(vit()).embed(with_keys(torch.rand(6, 3, 4, 4), valid))
    assert out.part is not None
    assert 2 not in out.part.tolist()
    assert grid_mask(keys(6), (2, 2), 0.6, 1)[:, 2].any()


# Sequences


def test_hidden_stretches_of_a_signal_are_predicted_from_the_rest() -> None:
    encoder = WaveEncoder().float()
    model = built(encoder, ratio=0.5)
    x = waves(torch.arange(8))
    views = Views((View(x, keys=keys(8)),))
    out = model.embed(views)
    assert out.of is not None
    assert out.part is not None
    total, changed = 0.0, x.values.clone()
    for row, (i, n) in enumerate(zip(out.of.tolist(), out.part.tolist(), strict=True)):
        assert 2 * n + 2 <= LENGTHS[i]
        window = x.values[i, 0, 2 * n : 2 * n + 2]
        torch.testing.assert_close(out.more["truth"][row], window)
        total += float((out.z[row].detach() - window).abs().sum())
        changed[i, 0, 2 * n : 2 * n + 2] += 1
    hidden = [out.of.tolist().count(i) for i in range(8)]
    assert hidden == [min(max(1, round(0.5 * (n // 2))), max(0, n // 2 - 1)) for n in LENGTHS[:8]]
    assert of_method(model, out, 8) == pytest.approx(total / (2 * len(out.z)), rel=1e-5)
    again = model.embed(Views((View(replace(x, values=changed), keys=keys(8)),)))
    torch.testing.assert_close(again.z, out.z)
    assert not torch.allclose(model.embed(Views((View(replace(x, values=x.values + 1), keys=keys(8)),))).z, out.z)


def test_a_batch_without_a_hidden_place_has_a_loss_of_zero_with_a_gradient() -> None:
    model = built(WaveEncoder().float())
    views = Views((View(Input(torch.rand(2, 1, 3), kind="wave", ragged=(0,)), keys=keys(2)),))
    out = model.embed(views)
    assert len(out.z) == 0
    rows = Rows.of(torch.arange(2), views=1).take(torch.zeros(0, dtype=torch.int64))
    loss = model.loss(out, RowPairs(Objective().bind({"x": [0, 1]}), rows, rows, torch.device("cpu"))).loss
    assert float(loss.detach()) == 0
    loss.backward()  # type: ignore[no-untyped-call]
    assert model.head.weight.grad is not None


# Refusals


@pytest.mark.parametrize(
    ("encoder", "options", "cause"),
    [
        (lambda: create_encoder("small_conv", 1, image_size=32), {}, "takes a plain ViT of timm, not 'small_conv'"),
        (lambda: create_encoder("small_vit", takes=InputSpec("image", 1, (30, 30))), {}, "8 pixels don't fill .* 30"),
        (lambda: create_encoder("small_vit", 1, image_size=32), {"block": 3}, "squares of 3 patches don't divide 4"),
        (lambda: create_encoder("small_vit", 1, image_size=32), {"block": 4}, "squares of 4 patches don't divide"),
        (lambda: create_encoder("conv1d"), {"form": "mae"}, "which the encoder 'conv1d' of signals can't"),
        (lambda: vit(global_pool="map"), {}, "takes a plain ViT of timm"),
    ],
)
def test_what_it_cannot_take_is_refused(encoder: Any, options: dict[str, Any], cause: str) -> None:
    with pytest.raises(UsageError, match=cause) as refused:
        Masked.build(encoder(), {**Masked.options().model_dump(), **options})
    assert refused.value.hint


def test_conv1d_predicts_windows_of_64_steps() -> None:
    model = Masked.build(create_encoder("conv1d", 2), Masked.options().model_dump())
    assert model.reader.values == 128
    assert model.encoder.training


def test_token_ids_are_refused() -> None:
    encoder = WaveEncoder()
    encoder.takes = InputSpec("text", 1, (None,), "int64")
    with pytest.raises(UsageError, match="not inputs of kind 'text'"):
        Masked.build(encoder, Masked.options().model_dump())  # type: ignore[arg-type]
