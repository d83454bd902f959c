"""The step ``background``: which recording is added, how loud, and that a view depends on nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import RecipeRequest
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable
from ssl_domains.testing import check_recipe
from ssl_domains.views import SequenceRecipe
from ssl_domains.views.draws import Draws
from ssl_domains_audio.domain import AUDIO
from ssl_domains_audio.inputs import SoundPreprocess
from ssl_domains_audio.views import Background
from ssl_domains_audio.views.background import backgrounds

from .sound_files import chirp, clip, encoded, tone, wav

RATE = 8000


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tone of 500 Hz, stereo at twice the rate, and a short one of 1,500 Hz; silence, which is passed over."""
    clip(tmp_path / "noises" / "a.wav", np.stack(2 * [tone(16_000, 16_000, 500.0)], axis=1), rate=16_000)
    clip(tmp_path / "noises" / "b.wav", tone(1600, RATE, 1500.0))
    clip(tmp_path / "noises" / "silent.wav", np.zeros(4000))
    (tmp_path / "noises" / "readme.txt").write_text("nothing to hear")
    return tmp_path / "noises"


def waves(*lengths: int) -> Input:
    valid = torch.arange(max(lengths))[None, None] < torch.tensor(lengths)[:, None, None]
    values = torch.randn(len(lengths), 1, max(lengths), generator=torch.Generator().manual_seed(0))
    return Input(values.masked_fill(~valid, 0.0), None if bool(valid.all()) else valid, "wave", (0,))


def test_the_folder_is_read_at_one_rate(folder: Path) -> None:
    found = backgrounds(str(folder), RATE)
    assert found.lengths.tolist() == [8000, 1600]
    assert found.starts.tolist() == [0, 8000]
    peaks = [float(found.waves[start + 200 : start + 1400].abs().max()) for start in found.starts.tolist()]
    assert peaks == pytest.approx([0.5, 0.5], abs=0.01)


def test_a_stretch_is_added_at_the_ratio_of_levels_that_was_drawn(folder: Path) -> None:
    step = Background.of(str(folder), RATE, reason="a reason")
    step = Background(**{**vars(step), "snr_db": (10.0, 10.0), "p": 1.0})
    x = waves(6000, 2000, 6000, 3000)
    parameters = step.parameters(Draws(0, 0, torch.arange(4), 0, "background"), 1)
    added = step.change(x, parameters) - x.values
    valid = x.with_valid()[:, 0]
    all_of_it = backgrounds(str(folder), RATE)
    for row in range(4):
        of = valid[row]
        one, level = added[row, 0][of].double(), x.values[row, 0][of].double()
        assert 20 * float((one.square().mean() / level.square().mean()).sqrt().log10()) == pytest.approx(-10, abs=1e-3)
        number = int(parameters["number"][row])
        length, start = int(all_of_it.lengths[number]), int(all_of_it.starts[number])
        first = int(parameters["start"][row]) * length >> 30
        places = (first + np.arange(int(of.sum()))) % length
        expected = all_of_it.waves[start + torch.from_numpy(places)].double()
        torch.testing.assert_close(one / one.norm(), expected / expected.norm(), rtol=1e-4, atol=1e-5)
    assert {int(number) for number in step.parameters(Draws(0, 0, torch.arange(64), 0, "background"), 1)["number"]} == {
        0, 1
    }  # fmt: skip


def test_a_silent_sample_stays_silent_and_a_share_of_the_views_is_left_as_it_is(folder: Path) -> None:
    step = Background.of(str(folder), RATE, reason="a reason")
    silent = Input(torch.zeros(3, 1, 900), None, "wave", (0,))
    drawn = step.parameters(Draws(0, 0, torch.arange(3), 0, "background"), 1)
    assert not step.change(silent, drawn).any()
    ratio = step.parameters(Draws(0, 0, torch.arange(4000), 0, "background"), 1)["ratio"]
    assert float((ratio > 0).float().mean()) == pytest.approx(0.5, abs=0.03)
    decibels = -20 * ratio[ratio > 0].log10()
    assert 5 <= float(decibels.min()) <= float(decibels.max()) <= 20.01


def test_a_view_of_the_recipe_depends_on_its_sample_alone(folder: Path) -> None:
    table = SampleTable.of({"sample": ["a"], "rate": [RATE]})
    asked = RecipeRequest(table, 0, 2, extra=(f"background={folder}",), preprocess=SoundPreprocess(RATE))
    recipe = AUDIO.recipe(asked)
    assert isinstance(recipe, SequenceRecipe)
    assert [step.name for step in recipe.steps] == ["crop", "gain", "background", "noise", "silence"]
    check_recipe(recipe, waves(5000, 3000, 4000, 900))
    (described,) = (step for step in recipe.to_dict()["steps"] if step["name"] == "background")
    assert (described["folder"], described["recordings"], len(described["digest"])) == (str(folder), 2, 16)


def test_mistakes(folder: Path, tmp_path: Path) -> None:
    def asked(word: str) -> None:
        table = SampleTable.of({"sample": ["a"], "rate": [RATE]})
        AUDIO.recipe(RecipeRequest(table, 0, 2, extra=(word,), preprocess=SoundPreprocess(RATE)))

    with pytest.raises(UsageError, match="'background' names no folder") as caught:
        asked("background")
    assert caught.value.hint == 'views.extra=["background=FOLDER"]'
    with pytest.raises(UsageError, match="'speed=2' takes no value"):
        asked("speed=2")
    with pytest.raises(UsageError, match="has no further view 'backgroud'") as caught:
        asked("backgroud=x")
    assert "'background'" in caught.value.hint
    with pytest.raises(UsageError, match="there is no folder 'gone'"):
        asked("background=gone")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match="holds no background recording with sound"):
        asked(f"background={tmp_path / 'empty'}")
    wav(tmp_path / "long" / "a.wav", encoded(chirp(20 * 3700), 16), rate=20)
    with pytest.raises(UsageError, match="holds 62 minutes of background recordings, 60 are the most"):
        asked(f"background={tmp_path / 'long'}")


def test_another_folder_than_that_of_the_run_is_noticed(folder: Path) -> None:
    step = Background.of(str(folder), RATE, reason="a reason")
    other = Background(**{**vars(step), "digest": "0" * 16})
    with pytest.raises(DataError, match="have changed"):
        other.change(waves(100), other.parameters(Draws(0, 0, torch.arange(1), 0, "background"), 1))
