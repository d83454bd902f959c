"""The stages of an encoder from input to output, for learning rates and freezing by depth."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from timm.models import group_parameters
from torch import nn

from ssl_domains.encoders.encoder import Encoder
from ssl_domains.errors import UsageError

__all__ = ["encoder_stages", "numbered_stages"]

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
