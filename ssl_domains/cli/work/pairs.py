"""Pairs of a command line: resolves ``--pairs`` and ``--rule``, and plans and inspects them on the training rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ssl_domains.cli.work.viewing import build_recipe
from ssl_domains.errors import DataError, UsageError
from ssl_domains.extending import Domain, Registry, parse_call

if TYPE_CHECKING:
    from ssl_domains.engine.loop.pair_plan import PairPlan
    from ssl_domains.engine.record.config import PairsConfig, RunConfig
    from ssl_domains.pairs import Composition, PairsReport
    from ssl_domains.samples import Regions, SampleTable

__all__ = [
    "ChosenPairs",
    "choose_pairs",
    "composition_of",
    "inspect_training",
    "nuisance_columns",
    "placed_regions",
    "plan_training",
    "training_rows",
    "with_measured",
    "with_nuisance",
]


@dataclass(frozen=True)
class ChosenPairs:
    """The resolved value of ``--pairs`` or ``--rule``.

    Attributes:
        objective: Text of the rule, which can be parsed again; a run stores it, so that resuming needs no plugin.
        name: The text given to ``--pairs``; None with ``--rule``.
        composition: Values of ``pairs.…`` that the pair sampler sets, by dotted key; ``--set`` overrides them.
        views: Names of further views that the pair sampler needs.
    """

    objective: str
    name: str | None = None
    composition: Mapping[str, Any] | None = None
    views: tuple[str, ...] = ()

    def sets(self) -> list[str]:
        """Composition and views as ``KEY=VALUE`` texts, to be put before the user's texts, which override them."""
        values = dict(self.composition or {})
        if self.views:
            values["views.extra"] = list(self.views)
        return [f"{key}={_toml(value)}" for key, value in values.items()]


def choose_pairs(registry: Registry, domain: Domain, pairs: str | None, rule: str | None) -> ChosenPairs | None:
    """Resolve ``--pairs`` or ``--rule``; None when neither is given.

    Raises:
        UsageError: When both are given, a name or parameter is unknown, or the rule can't be read.
    """
    from ssl_domains.pairs import Composition, parse

    if pairs is not None and rule is not None:
        raise UsageError("--pairs and --rule exclude each other", "--pairs names a sampler, --rule writes one out")
    if rule is not None:
        return ChosenPairs(str(parse(rule)))
    if pairs is None:
        return None
    name, params = parse_call(pairs)
    sampler = registry.pair_sampler(domain.name, name)
    objective, composition = sampler.resolve(**params)
    keys = {} if composition == Composition() else _keys(composition)
    return ChosenPairs(str(objective), pairs, keys, sampler.views)


def composition_of(pairs: PairsConfig) -> Composition:
    """The composition that a configuration's ``[pairs]`` describes."""
    return pairs.to_composition()


def training_rows(table: SampleTable) -> SampleTable:
    """The rows of the training split.

    Raises:
        DataError: When there are fewer than two.
    """
    rows = table.take(table.rows_of("train"))
    if len(rows) < 2:
        raise DataError(f"{len(rows)} training rows, two are the least", "check the column 'split' of the table")
    return rows


def plan_training(domain: Domain, config: RunConfig, train: SampleTable) -> PairPlan:
    """Bind the configuration's rule to the training rows, and plan batches.

    Raises:
        UsageError: When a column is missing or of the wrong type, or a batch is larger than the training set.
    """
    from ssl_domains.engine.loop.pair_plan import plan_pairs
    from ssl_domains.pairs import parse
    from ssl_domains.pairs.computed import Computed
    from ssl_domains.pairs.sampling.seats import reads
    from ssl_domains.views import emitted_names, replaced_names

    rule = parse(config.pairs.rule)
    for column in sorted(rule.columns - set(train.columns)):
        if column in domain.extra_columns:
            raise UsageError(f"the sample table has no column {column!r}", domain.extra_columns[column])
    recipe = build_recipe(domain, train, config)
    composition = composition_of(config.pairs)
    # A name that is no file is an edge table that the method will compute, and that has no edges yet.
    names = tuple(name for name in reads(composition, train)[1] if not Path(name).suffix)
    computed = Computed.nothing(len(train), edges=names) if names else None
    return plan_pairs(
        config, train, rule, composition, emitted=emitted_names(recipe), replaced=replaced_names(recipe),
        computed=computed,
    )  # fmt: skip


def inspect_training(domain: Domain, config: RunConfig, train: SampleTable, label: str | None = None) -> PairsReport:
    """Plan an epoch and count its positives, negatives and other properties of the pairs.

    Positives are also compared by the numbers that the domain measures on its samples, such as depth and amplitude.

    Returns:
        The report; `PairsReport.check` raises when the pairs can't be trained on.

    Raises:
        UsageError: As `plan_training`, or when there is no column ``label``.
    """
    if label is not None:
        train.label(label)
    train, measured = with_measured(domain, train)
    nuisance = dict.fromkeys((*nuisance_columns(domain, train, config), *measured))
    return plan_training(domain, config, train).inspect(label, tuple(nuisance), placed_regions(domain, train))


def placed_regions(domain: Domain, table: SampleTable) -> Regions | None:
    """The regions of a table in which arrays of one place are one array; None where the domain knows no places."""
    placed = None if domain.place_regions is None else domain.place_regions([table])
    return None if placed is None else placed[0]


def with_nuisance(table: SampleTable, config: RunConfig) -> SampleTable:
    """Add the column ``aspect_ratio`` if the canvas is padded and the table has the sides of its pictures.

    An encoder could read the aspect ratio from the padding, so it is measured like the other nuisance columns.
    """
    from ssl_domains.samples import with_aspect_ratio

    return with_aspect_ratio(table) if config.views.canvas == "fit" else table


def with_measured(domain: Domain, table: SampleTable) -> tuple[SampleTable, tuple[str, ...]]:
    """(the table with the nuisance values that the domain measures, their names); a column of the table is kept."""
    if domain.measured is None:
        return table, ()
    measured = domain.measured(table)
    new = {name: values for name, values in measured.items() if name not in table.columns}
    return table.with_columns(**new), tuple(measured)


def nuisance_columns(domain: Domain, table: SampleTable, config: RunConfig) -> tuple[str, ...]:
    """The domain's nuisance columns that the table has, and ``aspect_ratio`` if the canvas is padded."""
    from ssl_domains.samples import ASPECT_RATIO

    names = (*domain.nuisance, *((ASPECT_RATIO,) if config.views.canvas == "fit" else ()))
    return tuple(dict.fromkeys(name for name in names if name in table.columns))


def _keys(composition: Composition) -> dict[str, Any]:
    from ssl_domains.engine.record.config import composition_values

    return {key: value for key, value in composition_values(composition).items() if value is not None}


def _toml(value: Any) -> str:
    import json

    return json.dumps(value)  # strings, numbers and lists of them are the same in JSON and TOML
