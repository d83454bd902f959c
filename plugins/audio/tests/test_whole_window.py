"""The step ``window``: recordings that are shorter than a window are left out of a method of places, and counted."""

from __future__ import annotations

import pytest
import torch

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable
from ssl_domains.testing import check_recipe
from ssl_domains.views import SequenceRecipe
from ssl_domains_audio.domain import AUDIO
from ssl_domains_audio.inputs import SoundPreprocess
from ssl_domains_audio.views import WholeWindow
from ssl_domains_audio.views.recipe import WINDOW_S

RATE = 8000
WINDOW = round(WINDOW_S * RATE)


def waves(*lengths: int) -> Input:
    valid = torch.arange(max(lengths))[None, None] < torch.tensor(lengths)[:, None, None]
    values = torch.randn(len(lengths), 1, max(lengths), generator=torch.Generator().manual_seed(0))
    return Input(values.masked_fill(~valid, 0.0), None if bool(valid.all()) else valid, "wave", (0,))


def of_cpc() -> SequenceRecipe:
    table = SampleTable.of({"sample": ["a"], "rate": [RATE]})
    made = AUDIO.recipe(RecipeRequest(table, 0, 1, extra=("window",), preprocess=SoundPreprocess(RATE)))
    assert isinstance(made, SequenceRecipe)
    return made


def test_a_recording_of_a_window_stays_and_one_that_is_a_sample_shorter_is_padding() -> None:
    x = waves(WINDOW, WINDOW - 1, 3 * WINDOW)
    step = WholeWindow(WINDOW, reason="a reason")
    (made,), emitted = step.apply((x,), {}, {})
    assert emitted == {}
    assert made.with_valid()[:, 0].sum(dim=1).tolist() == [WINDOW, 0, 3 * WINDOW]
    assert torch.equal(made.values[[0, 2]], x.values[[0, 2]])
    assert not made.values[1].any()
    assert step.flags(x)["too short"].tolist() == [False, True, False]


def test_views_are_windows_and_short_ones_have_no_place() -> None:
    recipe = of_cpc()
    assert [step.name for step in recipe.steps] == ["crop", "gain", "noise", "silence", "window"]
    x = waves(4 * WINDOW, WINDOW + 5, WINDOW - 7)
    (view,) = recipe.views_of(x, seed=0, step=0, slots=torch.arange(3))
    assert view.input.space == (WINDOW,)
    assert view.input.with_valid()[:, 0].all(dim=1).tolist() == [True, True, False]
    assert not view.input.with_valid()[2].any()
    assert view.flags["too short"].tolist() == [False, False, True]
    encoder = create_encoder("conv1d_80", takes=SoundPreprocess(RATE).spec).eval()
    with torch.no_grad():
        features = encoder(view.input.values, view.input.valid)
    assert features.map.shape[2] == WINDOW // 80 == 32
    assert features.mask is not None
    assert features.mask[:, 0].sum(dim=1).tolist() == [32, 32, 0]


def test_a_view_depends_on_its_sample_alone() -> None:
    check_recipe(of_cpc(), waves(4 * WINDOW, WINDOW + 5, WINDOW, 2 * WINDOW))


def test_other_inputs_and_lengths_are_refused() -> None:
    with pytest.raises(UsageError, match="window: length=0"):
        WholeWindow(0, reason="a reason")
    picture = Input(torch.zeros(1, 1, 8, 8), None, "mel", (1,))
    with pytest.raises(UsageError, match="window: an input with the sides"):
        WholeWindow(4, reason="a reason").apply((picture,), {}, {})
