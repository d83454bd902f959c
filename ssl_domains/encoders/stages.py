"""The stages of an encoder from input to output, for learning rates and freezing by depth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from timm.models import group_parameters
from torch import nn

from ssl_domains.encoders.encoder import Encoder
from ssl_domains.errors import UsageError, did_you_mean

__all__ = ["encoder_stages", "first_stages", "numbered_stages", "stage_factors"]

_NUMBERED = re.compile(r"(?:^|\.)(?:layers?|blocks?|stages?|h)\.(\d+)\.")


def encoder_stages(encoder: Encoder) -> list[list[str]]:
    """Names of the encoder's parameters, one list for each stage, the first stage first.

    An encoder may say its own stages with a method ``stages()`` that returns such lists. For timm models, the stages
    are those of ``group_matcher(coarse=True)``: the stem and the stages of a convolutional network, or the embedding
    and the blocks of a transformer. A norm behind the last stage belongs to that stage.

    Raises:
        UsageError: When the encoder has no stages.
    """
    own = getattr(encoder, "stages", None)
    if callable(own):
        return [list(stage) for stage in own()]
    model: Any = getattr(encoder, "model", None)
    if not callable(getattr(model, "group_matcher", None)):
        name = getattr(encoder, "name", type(encoder).__name__)
        raise UsageError(
            f"the encoder {name!r} has no stages to choose from",
            "train all of it with --layers all, or only the head with --layers head",
        )
    number = group_parameters(model, model.group_matcher(coarse=True), reverse=True)
    parameters = dict(model.named_parameters())
    stages: list[list[str]] = []
    for value in sorted({number[name] for name in parameters}):
        members = [name for name in parameters if number[name] == value]
        if stages and all(parameters[name].ndim <= 1 for name in members):
            stages[-1] += members
        else:
            stages.append(members)
    return [[f"model.{name}" for name in stage] for stage in stages]


def stage_factors(stages: Sequence[Sequence[str]], decay: float) -> dict[str, float]:
    """Factors on the learning rate by parameter: 1 for the last stage, ``decay`` once more for each stage below it."""
    return {name: decay**depth for depth, stage in enumerate(reversed(stages)) for name in stage}


def first_stages(encoder: Encoder, chosen: int | Sequence[str]) -> set[str]:
    """Names of parameters at the beginning of an encoder.

    Args:
        encoder: The encoder.
        chosen: Number of its first stages, or beginnings of parameter names, such as ``["patch_embed", "blocks.0"]``.

    Raises:
        UsageError: When it has fewer stages or no such parameters, or none is left to train.
    """
    every = {name: name.removeprefix("model.") for name, _ in encoder.named_parameters()}
    if isinstance(chosen, int):
        stages = encoder_stages(encoder) if chosen else []
        if chosen > len(stages):
            raise UsageError(f"the encoder {encoder.name!r} has {len(stages)} stages, not {chosen}", "freeze fewer")
        names = {name for stage in stages[:chosen] for name in stage}
    else:
        for start in chosen:
            if not any(_begins(name, start) for name in every.values()):
                first = dict.fromkeys(name.partition(".")[0] for name in every.values())
                raise UsageError(f"no parameter of {encoder.name!r} begins with {start!r}", did_you_mean(start, first))
        names = {full for full, name in every.items() if any(_begins(name, start) for start in chosen)}
    if len(names) == len(every):
        raise UsageError("encoder.freeze leaves nothing of the encoder to train", "freeze fewer stages")
    return names


def _begins(name: str, start: str) -> bool:
    return name == start or name.startswith(f"{start}.")


def numbered_stages(module: nn.Module) -> Sequence[Sequence[str]]:
    """Stages of a module whose blocks are numbered in its parameter names, such as ``encoder.layer.3.output.weight``.

    Parameters before the first block are a stage of their own; those behind the last block belong to it.
    """
    stages: list[list[str]] = [[]]
    last = -1
    for name, _ in module.named_parameters():
        found = _NUMBERED.search(name)
        if found is not None and int(found[1]) != last:
            last = int(found[1])
            stages.append([])
        stages[-1].append(name)
    return [stage for stage in stages if stage]
