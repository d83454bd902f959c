"""The kit accepts a domain of signals, and names what a broken one breaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import letter_lines
import tone_domain as tones
from ssl_domains.errors import DataError, PluginError, UsageError
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable, TextFile, TextPlan, Transcribed
from ssl_domains.testing import check_domain, check_pair_sampler
from ssl_domains.views import Gain, SequenceRecipe, SignalPreprocess


def test_a_domain_of_signals_and_its_sampler_pass(tmp_path):
    samples = check_domain(tones.TONES, tmp_path)
    assert len(samples) == 36
    check_pair_sampler(tones.ssl_domains_pair_samplers()[0], samples, batch_size=8)


def test_a_preprocess_that_is_fitted_and_one_of_a_fixed_length_pass(tmp_path):
    check_domain(replace(tones.TONES, preprocess=tones.fitted), tmp_path / "fitted")
    crop = tones.CropLength(length=50, emit="start_s", reason="fixed")
    fixed = replace(
        tones.TONES,
        preprocess=lambda table: SignalPreprocess(channels=2, length=90),
        recipe=lambda request: SequenceRecipe((crop, Gain(reason="fixed")), views=request.views),
    )
    check_domain(fixed, tmp_path / "fixed")


@dataclass(frozen=True)
class Odd:
    """A preprocess with one fault."""

    name: ClassVar[str] = "signal"
    columns: ClassVar[tuple[str, ...]] = ()
    fault: str = ""
    spec: InputSpec = InputSpec("wave", 2, (None,))  # noqa: RUF009 (frozen)

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        made = SignalPreprocess(channels=2)(array)
        if self.fault == "infinite":
            return Input(made.values / 0, None, "wave", (0,))
        if self.fault == "channels":
            return Input(made.values[:, :1], None, "wave", (0,))
        return made

    def to_dict(self) -> dict[str, Any]:
        described = SignalPreprocess(channels=2).to_dict()
        return {**described, "noise": np.float32(1)} if self.fault == "json" else described


class OfTheBatch(SequenceRecipe):
    """A recipe whose views depend on the other samples of the batch."""

    def views_of(self, x: Input, *beside: Input, **options: Any) -> Any:
        made = super().views_of(x, *beside, **options)
        shift = x.values[:, :, :5].mean()
        return [replace(view, input=replace(view.input, values=view.input.values - shift)) for view in made]


class AnotherSpec(tones.LoudestTrainingTone):
    @property
    def spec(self) -> InputSpec:
        return InputSpec("speech", 2, (None,))


def unreasoned(request: Any) -> Any:
    class Silent(Gain):
        def __post_init__(self) -> None:
            object.__setattr__(self, "reason", "")

    return SequenceRecipe((Silent(reason=""),), views=request.views)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"preprocess": lambda table: SignalPreprocess(channels=3)}, "signals of 2 channels, the encoder takes 3"),
        ({"preprocess": lambda table: "signal"}, "not str"),
        ({"preprocess": lambda table: AnotherSpec()}, "fitting changes the spec"),
        ({"preprocess": lambda table: Odd("infinite")}, "finite numbers"),
        ({"preprocess": lambda table: Odd("channels")}, r"\[B, 2, any\] is declared"),
        ({"preprocess": lambda table: Odd("json")}, "float32"),
        ({"recipe": lambda request: SequenceRecipe((), views=request.views)}, "a recipe has steps"),
        ({"recipe": unreasoned}, "'gain' says its reason"),
        ({"recipe": lambda r: OfTheBatch(tones.recipe(r).steps)}, "a sample alone has the views"),
        ({"thumbnail": lambda array, row: row["path"]}, "no path"),
        ({"nuisance": ("device",)}, "device"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_broken_domain_is_told_what_it_breaks(tmp_path, change, told):
    with pytest.raises((AssertionError, UsageError, DataError, TypeError), match=told):
        check_domain(replace(tones.TONES, **change), tmp_path)


def test_the_double_is_good_without_its_fault(tmp_path):
    check_domain(replace(tones.TONES, preprocess=lambda table: Odd()), tmp_path)
    assert torch.equal(Odd()(np.ones((4, 2))).values, torch.zeros(1, 2, 4))


def test_files_of_texts_are_planned_and_the_first_is_written(tmp_path: Path) -> None:
    check_domain(letter_lines.LINES, tmp_path / "fine")
    pages = sorted(path.name for path in (tmp_path / "fine" / "texts").iterdir())
    assert pages == ["w0.tsv"]
    assert "Ein <Wort>" in (tmp_path / "fine" / "texts" / "w0.tsv").read_text(encoding="utf-8")
    plan = letter_lines.text_files

    def twice(table: SampleTable, root: Path | None) -> TextPlan:
        files = plan(table, root).files
        return TextPlan((*files, replace(files[0], name="again.tsv")))

    def outside(table: SampleTable, root: Path | None) -> TextPlan:
        return TextPlan((replace(plan(table, root).files[0], name="../w0.tsv"),))

    def same(table: SampleTable, root: Path | None) -> TextPlan:
        files = plan(table, root).files
        return TextPlan((files[0], replace(files[1], name="W0.tsv")))

    def unwritten(table: SampleTable, root: Path | None) -> TextPlan:
        return TextPlan((Unwritten("w0.tsv", (0,)),))

    for files, kind, text in (
        (twice, PluginError, "puts one sample into two files of texts, the second is 'again.tsv'"),
        (outside, PluginError, "no name below a folder"),
        (same, PluginError, "names two files of texts 'W0.tsv'"),
        (unwritten, AssertionError, "is written where it is asked to be"),
    ):
        with pytest.raises(kind, match=text):
            check_domain(replace(letter_lines.LINES, text_files=files), tmp_path / files.__name__)


class Unwritten(TextFile):
    def write(self, path: Path, texts: Mapping[int, Transcribed]) -> None:
        """Does nothing."""
