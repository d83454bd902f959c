"""Completes the configuration of a run from its parts, and refuses what doesn't go together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ssl_domains.engine.loop.online_knn import online_labels
from ssl_domains.engine.loop.pair_plan import group_column
from ssl_domains.engine.loop.parts import Parts, recipe_of
from ssl_domains.engine.loop.rule_check import refuse_unread_rule
from ssl_domains.engine.record.config import RunConfig, composition_values
from ssl_domains.engine.record.config_file import with_method_options
from ssl_domains.errors import DataError, UsageError
from ssl_domains.methods import needs_with
from ssl_domains.pairs import Objective, Rule
from ssl_domains.views import ImagePreprocess

__all__ = ["resolve_config", "rule_text"]


def resolve_config(config: RunConfig, parts: Parts) -> RunConfig:
    """Fill in the values that follow from the parts, so that the configuration describes the run completely.

    Raises:
        UsageError: When it names a column that is missing, a number of views that the method can't take, or a rule that
            the method would ignore.
        DataError: When the arrays differ in their number of channels.
    """
    config = with_method_options(config, parts.method.options)
    needs = needs_with(parts.method, config.method.model_dump())
    recipe = recipe_of(config, parts)
    values: dict[str, Any] = {
        "pairs.rule": rule_text(parts.objective),
        **composition_values(parts.composition),
        "views.n": recipe.views,
    }
    if parts.preprocess is None:
        size, values["views.canvas"] = config.views.square
        values["views.size"] = getattr(parts.recipe, "size", size)
        if config.encoder.in_chans is None:
            values["encoder.in_chans"] = _channels(parts)
    elif isinstance(parts.preprocess, ImagePreprocess):
        canvas = parts.preprocess.canvas
        values |= {"views.size": canvas.size, "views.canvas": canvas.mode}
        values["encoder.in_chans"] = _declared_channels(config, parts.preprocess.spec.channels)
    else:
        # Only pictures have a canvas: the configuration of other data must not claim one.
        values |= {"views.size": None, "views.canvas": None}
        values["encoder.in_chans"] = _declared_channels(config, parts.preprocess.spec.channels)
    settings: Mapping[str, Any] = getattr(parts.preprocess, "settings", {})
    values |= {f"input.{name}": value for name, value in settings.items()}
    values["health.group"] = group_column(parts.table, config.health.group)
    if config.health.label is not None:
        online_labels(parts.table, config.health.label, values["health.group"])
    config = config.with_values(values)
    needs.require(recipe.views, config.method.name)
    if config.encoder.freeze and config.encoder.init == "random":
        raise UsageError("encoder.freeze would keep random weights", "give --init, or leave encoder.freeze out")
    refuse_unread_rule(config, needs, parts.table)
    return config


def rule_text(objective: Objective | Rule) -> str:
    """Text of a rule, the same for equal objectives: ``1*same('a')`` is written ``same('a')``."""
    if isinstance(objective, Rule):
        return str(objective)
    relations = objective.relations
    lone = len(relations) == 1 and relations[0].weight == 1 and objective.ignored is None
    return str(relations[0].rule) if lone else str(objective)


def _declared_channels(config: RunConfig, channels: int) -> int:
    if config.encoder.in_chans not in (None, channels):
        cause = f"encoder.in_chans is {config.encoder.in_chans}, the domain's inputs have {channels} channels"
        raise UsageError(cause, "leave encoder.in_chans out")
    return channels


def _channels(parts: Parts) -> int:
    samples = parts.store.of(parts.table)
    if not samples.decoded.any():
        raise DataError("no training sample could be decoded", "look into the problems that `scan` listed")
    counted = samples.channels()
    colour = counted - {1}
    if len(colour) > 1:
        counts = ", ".join(str(count) for count in sorted(counted))
        raise DataError(f"the arrays have different channel counts: {counts}", "set encoder.in_chans")
    return colour.pop() if colour else 1
