"""Objects of a run that come from a domain, a pair sampler and a method."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ssl_domains.engine.record.config import RunConfig
from ssl_domains.errors import UsageError
from ssl_domains.methods import MethodSource, needs_with
from ssl_domains.pairs import Composition, Objective, Rule
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import PreprocessSource, Recipe, RowInputs, Scaling, with_variants

__all__ = ["Parts", "recipe_of"]


@dataclass(frozen=True)
class Parts:
    """What a run is made of, beside its configuration.

    Attributes:
        table: The training rows; each must have a decoded array.
        store: Store with their arrays.
        objective: The rule.
        composition: How batches are composed.
        recipe: Makes the views.
        scaling: Scaling from native unit to [0, 1], for pictures; None where ``preprocess`` is given.
        method: Builds the method; usually its class.
        preprocess: Preprocess of data other than pictures, or a declaration that is fitted on the training rows; None
            makes an `ImagePreprocess` of ``scaling`` and the canvas. The `ImagePreprocess` of another run keeps what
            was fitted there.
        beside: Gives further inputs of the training rows, such as label maps, which go through the same geometric
            steps; None for none. They are no part of the run's preprocess.
        records: JSON files that are written to the run folder, by name: what the method was given beside the table.
            A run is resumed only with the same.

    Raises:
        UsageError: With neither ``scaling`` nor ``preprocess``.
    """

    table: SampleTable
    store: ArrayStore
    objective: Objective | Rule
    composition: Composition
    recipe: Recipe
    scaling: Scaling | None
    method: MethodSource
    preprocess: PreprocessSource | None = None
    beside: RowInputs | None = None
    records: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.scaling is None and self.preprocess is None:
            cause = "nothing says how arrays become inputs of the encoder"
            raise UsageError(cause, "give a scaling (pictures) or a preprocess (other data)")


def recipe_of(config: RunConfig, parts: Parts) -> Recipe:
    """The recipe of a run: that of the parts, with the variants that the method needs under its options."""
    needs = needs_with(parts.method, config.method.model_dump())
    return with_variants(parts.recipe, needs.variants, needs.sizes)
