"""The recipe of signals keeps the contract of every recipe, and can be described, shortened and read back."""

from __future__ import annotations

import json
import pickle

import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.testing import check_recipe
from ssl_domains.views import (
    AddNoise,
    CropLength,
    DropChannels,
    Gain,
    MaskStretches,
    RandomCrop,
    Recipe,
    SequenceRecipe,
    emitted_names,
    with_variants,
)

WHY = "a reason"
STEPS = (
    CropLength((0.4, 0.9), emit="start_s", spacing=0.004, reason=WHY), Gain(per_channel=True, offset=0.2, reason=WHY),
    AddNoise(reason=WHY), MaskStretches(reason=WHY), DropChannels(0.3, reason=WHY), AddNoise((0.1, 0.2), reason=WHY),
)  # fmt: skip
RECIPE = SequenceRecipe(STEPS)


def waves(*lengths: int, channels: int = 3) -> Input:
    draws = torch.Generator().manual_seed(0)
    return Input.cat([Input(torch.randn(1, channels, n, generator=draws), None, "wave", (0,)) for n in lengths])


def test_it_keeps_the_contract_for_ragged_and_fixed_inputs_of_any_rank() -> None:
    assert isinstance(RECIPE, Recipe)
    ragged = waves(40, 12, 33, 7, 25)
    check_recipe(RECIPE, ragged)
    labels = Input(torch.arange(40).repeat(5, 1)[:, None], ragged.valid, "labels", (0,), 255)
    check_recipe(RECIPE, ragged, labels)
    check_recipe(with_variants(RECIPE, {"global": 2, "local": 3}), ragged)
    check_recipe(SequenceRecipe((CropLength(length=16, reason=WHY), *STEPS[1:])), waves(30, 30, 30))
    draws = torch.Generator().manual_seed(1)
    bands = Input.cat([Input(torch.randn(1, 1, 8, n, generator=draws), None, "mel", (1,), -4.0) for n in (20, 9, 31)])
    check_recipe(SequenceRecipe((CropLength(side=1, reason=WHY), *STEPS[1:])), bands)
    both = Input.cat(
        [Input(torch.randn(1, 2, *n, generator=draws), None, "map", (0, 1)) for n in ((6, 9), (11, 4), (8, 8))]
    )
    check_recipe(SequenceRecipe((CropLength(side=1, reason=WHY), *STEPS[1:])), both)


def test_a_crop_of_the_array_is_recorded_and_read_back() -> None:
    recipe = SequenceRecipe(STEPS, crop=RandomCrop(50, emitted="from_s", spacing=0.004))
    check_recipe(recipe, waves(40, 12, 33), shapes=[(400, 3), (30, 3), (51, 3)])
    again = SequenceRecipe.from_dict(json.loads(json.dumps(recipe.to_dict())))
    assert again == recipe
    assert emitted_names(recipe) == ("from_s", "start_s")
    assert SequenceRecipe.from_dict(RECIPE.to_dict()).crop is None


def test_a_gap_stays_invalid_and_its_values_are_the_pad() -> None:
    x = waves(40, 40, 40)
    valid = x.with_valid().clone()
    valid[1, :, 10:20] = False
    [view] = SequenceRecipe((AddNoise(p=1.0, reason=WHY),), views=1).views_of(
        Input(x.values, valid, "wave", (0,)), seed=0, step=0, slots=torch.arange(3)
    )
    assert torch.equal(view.input.valid, valid)
    assert (view.input.values[1, :, 10:20] == 0).all()


def test_the_same_step_twice_draws_differently_and_the_others_do_not_change_without_one() -> None:
    x = waves(30, 20, 25)
    twice = SequenceRecipe((AddNoise(p=1.0, sigma=(0.1, 0.1), reason=WHY),) * 2, views=1)
    [both] = twice.views_of(x, seed=1, step=1, slots=torch.arange(3))
    [once] = SequenceRecipe(twice.steps[:1], views=1).views_of(x, seed=1, step=1, slots=torch.arange(3))
    first = once.input.values - x.values
    assert not torch.allclose(both.input.values - once.input.values, first)
    shorter = RECIPE.without("noise")
    assert [step.name for step in shorter.steps] == ["crop", "gain", "mask", "drop channels"]
    views = (recipe.views_of(x, seed=1, step=1, slots=torch.arange(3))[1] for recipe in (RECIPE, shorter))
    assert len({tuple(view.emitted["start_s"].tolist()) for view in views}) == 1
    with pytest.raises(UsageError, match="no step 'nose'") as caught:
        RECIPE.without("nose")
    assert "noise" in caught.value.hint


def test_it_is_described_read_back_and_pickled() -> None:
    written = json.loads(json.dumps(RECIPE.to_dict()))
    assert written["views"] == 2
    assert written["steps"][0] == {
        "name": "crop", "reason": WHY, "share": [0.4, 0.9], "length": None, "side": 0, "emit": "start_s",
        "spacing": 0.004,
    }  # fmt: skip
    assert SequenceRecipe.from_dict(written) == RECIPE
    assert pickle.loads(pickle.dumps(RECIPE)) == RECIPE
    with pytest.raises(UsageError, match="isn't one of the built-in ones"):
        SequenceRecipe.from_dict({"views": 2, "steps": [{"name": "echo", "reason": WHY}]})


def test_variants_have_shorter_crops() -> None:
    assert RECIPE.variant("global") is RECIPE
    local = RECIPE.variant("local").steps[0]
    assert isinstance(local, CropLength)
    assert local.share == (0.05, 0.4)
    assert SequenceRecipe((CropLength(length=9, reason=WHY),)).variant("local").steps[0].length == 4  # type: ignore[attr-defined]
    assert SequenceRecipe((CropLength(length=9, reason=WHY),)).variant("local", 6).steps[0].length == 6  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match="local crops of 10 places are longer than those of the recipe, 9"):
        SequenceRecipe((CropLength(length=9, reason=WHY),)).variant("local", 10)
    for recipe, name in ((RECIPE, "tiny"), (RECIPE.without("crop"), "local")):
        with pytest.raises(UsageError, match="no variant"):
            recipe.variant(name)


def test_what_it_cannot_change_is_refused() -> None:
    ids = Input(torch.zeros(3, 1, 5, dtype=torch.int64), None, "text", (0,))
    with pytest.raises(UsageError, match="int64"):
        RECIPE.views_of(ids, seed=0, step=0, slots=torch.arange(3))
    with pytest.raises(UsageError, match="0 views"):
        SequenceRecipe(STEPS, views=0)
    bytes_ = Input(torch.full((3, 1, 8), 255, dtype=torch.uint8))
    [view] = SequenceRecipe((), views=1).views_of(bytes_, seed=0, step=0, slots=torch.arange(3))
    assert (view.input.values == 1.0).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_views_are_the_same_on_a_gpu() -> None:
    x = waves(40, 12, 33)
    on_cpu = RECIPE.views_of(x, seed=1, step=2, slots=torch.arange(3))
    on_gpu = RECIPE.views_of(x.to("cuda"), seed=1, step=2, slots=torch.arange(3))
    for one, two in zip(on_cpu, on_gpu, strict=True):
        # The padding at the end may be longer on a GPU.
        expected, found = one.input.trimmed(), two.input.to("cpu").trimmed()
        assert torch.equal(expected.with_valid(), found.with_valid())
        torch.testing.assert_close(expected.values, found.values)
        assert torch.equal(one.emitted["start_s"], two.emitted["start_s"])
