"""The head at the first step: that of the frozen probe of the encoder, fitted on the training rows."""

from __future__ import annotations

import numpy as np
from torch import Tensor

from ssl_domains.engine import Parts, RunConfig
from ssl_domains.engine.loop.assembly import preprocess_of
from ssl_domains.engine.loop.initial import initial_encoder
from ssl_domains.engine.loop.resolving import resolve_config
from ssl_domains.finetuning.heads import LabelledRows, create_head
from ssl_domains.finetuning.options import FineTuneOptions
from ssl_domains.finetuning.parts import FineTuneParts, engine_parts
from ssl_domains.views import crop_of

__all__ = ["frozen_probe_head", "probe_head"]


def frozen_probe_head(config: RunConfig, parts: FineTuneParts) -> dict[str, Tensor]:
    """Weights of the head with which the fine-tuned model first answers as the frozen probe does.

    For a label column this is the linear probe, whose standardisation becomes part of weight and bias (logistic
    regression, or ridge regression of a number). For masks it is the head that the dense probe fits, with its
    standardisation of the maps. The probe's setting is chosen inside the training groups, with the seed ``train.seed``.

    Args:
        config: The configuration of the fine-tuning.
        parts: Its parts.

    Returns:
        The weights by name, on the CPU.
    """
    return probe_head(*engine_parts(config, parts), parts)


def probe_head(config: RunConfig, made: Parts, parts: FineTuneParts) -> dict[str, Tensor]:
    """`frozen_probe_head`, from the result of `engine_parts`."""
    config = resolve_config(config, made)
    preprocess = preprocess_of(config, made)
    train = config.train
    chosen = config.encoder
    encoder = initial_encoder(chosen.name, preprocess.spec, chosen.init, train.seed, chosen.segments)
    section = {name: value for name, value in config.method.model_dump().items() if name != "name"}
    head = create_head(parts.task, encoder, parts.labels, FineTuneOptions.model_validate(section))
    rows = LabelledRows(
        table=parts.table,
        store=parts.store,
        preprocess=preprocess,
        labels=parts.labels,
        masks=parts.masks,
        groups=np.arange(len(parts.table)) if parts.groups is None else parts.groups,
        seed=train.seed,
        device=train.device,
        workers=config.data.workers,
        crop=crop_of(parts.recipe),
        fit=parts.fit,
    )
    head.start(encoder, rows)
    return {name: value.detach().cpu().clone() for name, value in head.state_dict().items()}
