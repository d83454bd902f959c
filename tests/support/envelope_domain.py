"""The domain of tones with a form of its inputs that is computed on the device, and settings of that form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

import tone_domain as tones
from ssl_domains.extending import Domain, PairSampler, RecipeRequest
from ssl_domains.inputs import Input, InputSpec
from ssl_domains.samples import SampleTable
from ssl_domains.views import Gain, Pointwise, Recipe, SequenceRecipe, SignalPreprocess, register_preprocess
from ssl_domains.views.draws import Draws

FLOOR = -2.0
"""Padding of an envelope, below every value that it can have."""


class EnvelopeSettings(BaseModel):
    """Settings of the encoder's input."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    form: Literal["envelope", "wave"] = Field(default="envelope", description="'envelope', or the waveform itself")
    frame: int = Field(default=4, ge=1, description="samples of a frame")


@register_preprocess
@dataclass(frozen=True)
class EnvelopePreprocess:
    """Waves are loaded, and their mean amplitude in each frame is computed on the device."""

    name: ClassVar[str] = "envelope"
    columns: ClassVar[tuple[str, ...]] = ("length",)
    frame: int = 4
    wave: SignalPreprocess = field(default_factory=lambda: SignalPreprocess(channels=2))

    @property
    def spec(self) -> InputSpec:
        return InputSpec("envelope", 2, (None,), pad=FLOOR)

    @property
    def loaded(self) -> InputSpec:
        return self.wave.spec

    def compact(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        return self.wave(array)

    def __call__(self, array: NDArray[Any], facts: Mapping[str, Any] | None = None) -> Input:
        return self.finish(self.compact(array, facts))

    def finish(self, x: Input) -> Input:
        beyond = -x.space[0] % self.frame
        valid = F.pad(x.with_valid(), (0, beyond)).unflatten(2, (-1, self.frame))
        values = F.pad(x.values.masked_fill(~x.with_valid(), 0), (0, beyond)).unflatten(2, (-1, self.frame))
        count = valid.sum(dim=3)
        means = values.abs().sum(dim=3) / count.clamp(min=1)
        return self.spec.input(means.masked_fill(count == 0, FLOOR), count > 0)

    def sides(self, shape: Sequence[int], facts: Mapping[str, Any] | None = None) -> tuple[int, ...]:
        assert facts is not None
        return (int(facts["length"]),)

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EnvelopePreprocess:
        return cls(values["frame"], SignalPreprocess.from_dict(values["wave"]))


@dataclass(frozen=True)
class Finish(Pointwise):
    """The step that calls ``finish``."""

    name: ClassVar[str] = "envelope"
    preprocess: EnvelopePreprocess = field(default_factory=EnvelopePreprocess)

    def parameters(self, draws: Draws, channels: int) -> dict[str, torch.Tensor]:
        return {}

    def apply(self, inputs: Any, parameters: Any, columns: Any) -> Any:
        return (self.preprocess.finish(inputs[0]), *inputs[1:]), {}


@dataclass(frozen=True)
class Short(Pointwise):
    """A step that changes nothing, and flags tones of fewer than 100 samples."""

    name: ClassVar[str] = "short"

    def parameters(self, draws: Draws, channels: int) -> dict[str, torch.Tensor]:
        return {}

    def change(self, x: Input, parameters: Any) -> torch.Tensor:
        return x.values

    def flags(self, x: Input) -> dict[str, torch.Tensor]:
        return {"short": x.lengths < 100}


def preprocess(table: SampleTable, settings: EnvelopeSettings) -> SignalPreprocess | EnvelopePreprocess:
    return SignalPreprocess(channels=2) if settings.form == "wave" else EnvelopePreprocess(settings.frame)


def recipe(request: RecipeRequest) -> Recipe:
    steps: tuple[Any, ...] = (Gain(reason=tones.WHY, p=1.0),)
    if "short" in request.extra:
        steps = (*steps, Short(reason=tones.WHY))
    if isinstance(request.preprocess, EnvelopePreprocess) and "in the recipe" in request.extra:
        return SequenceRecipe((*steps, Finish(preprocess=request.preprocess, reason=tones.WHY)), views=request.views)
    return SequenceRecipe(steps, views=request.views)


ENVELOPES = replace(
    tones.TONES,
    name="envelope",
    preprocess=preprocess,
    recipe=recipe,
    demo_data=lambda out, seed: tones.demo_data(out, seed).replace("ssl-domains tone", "ssl-domains envelope"),
    input_settings=lambda: EnvelopeSettings,
    handmade={"mean": lambda inputs: inputs.mean(axis=2)},
)


def ssl_domains_domains() -> list[Domain]:
    return [ENVELOPES]


def ssl_domains_pair_samplers() -> list[PairSampler]:
    return [PairSampler("person", "envelope", "tones of one person", "same('person')")]
