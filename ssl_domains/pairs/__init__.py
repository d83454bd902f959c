"""Pairs: which rows are positives of each other, and in which batches they meet.

A rule (``same('patient')``) and a sample table come in. A `BoundObjective` goes out: it draws positives, builds the
`PairBatch` that a loss reads, and composes batches through `BatchSampler`; `inspect_pairs` reports on them.

A name is imported when it is first used, because rules are plain descriptions that need no torch.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl_domains.pairs.batch.collapsed import CollapsedTile
    from ssl_domains.pairs.batch.pair_batch import PairBatch, Tile
    from ssl_domains.pairs.batch.pair_matrices import PairMatrices
    from ssl_domains.pairs.batch.rows import Rows
    from ssl_domains.pairs.batch.triplets import Triplets
    from ssl_domains.pairs.binding.bound_rule import BoundRelation, BoundRule
    from ssl_domains.pairs.bound_objective import BoundObjective
    from ssl_domains.pairs.computed import Binding, Computed, edges_between
    from ssl_domains.pairs.inspection.emptied_bins import emptied_bins
    from ssl_domains.pairs.inspection.report import PairsReport, inspect_pairs
    from ssl_domains.pairs.labels import pairs_from_labels
    from ssl_domains.pairs.rules.algebra import Rule
    from ssl_domains.pairs.rules.errors import RuleTypeError
    from ssl_domains.pairs.rules.keys import Bins, bins
    from ssl_domains.pairs.rules.linked import linked
    from ssl_domains.pairs.rules.objective import Objective, Relation
    from ssl_domains.pairs.rules.overlap import overlap
    from ssl_domains.pairs.rules.same import same
    from ssl_domains.pairs.rules.text import parse
    from ssl_domains.pairs.rules.within import within
    from ssl_domains.pairs.sampling.ask import Ask
    from ssl_domains.pairs.sampling.batch_sampler import BatchSampler
    from ssl_domains.pairs.sampling.composition import Composition

__all__ = [
    "Ask",
    "BatchSampler",
    "Binding",
    "Bins",
    "BoundObjective",
    "BoundRelation",
    "BoundRule",
    "CollapsedTile",
    "Composition",
    "Computed",
    "Objective",
    "PairBatch",
    "PairMatrices",
    "PairsReport",
    "Relation",
    "Rows",
    "Rule",
    "RuleTypeError",
    "Tile",
    "Triplets",
    "bins",
    "edges_between",
    "emptied_bins",
    "inspect_pairs",
    "linked",
    "overlap",
    "pairs_from_labels",
    "parse",
    "same",
    "within",
]

_MODULES = {
    "Ask": "sampling.ask",
    "BatchSampler": "sampling.batch_sampler",
    "Binding": "computed",
    "Bins": "rules.keys",
    "BoundObjective": "bound_objective",
    "BoundRelation": "binding.bound_rule",
    "BoundRule": "binding.bound_rule",
    "CollapsedTile": "batch.collapsed",
    "Composition": "sampling.composition",
    "Computed": "computed",
    "Objective": "rules.objective",
    "PairBatch": "batch.pair_batch",
    "PairMatrices": "batch.pair_matrices",
    "PairsReport": "inspection.report",
    "Relation": "rules.objective",
    "Rows": "batch.rows",
    "Rule": "rules.algebra",
    "RuleTypeError": "rules.errors",
    "Tile": "batch.pair_batch",
    "Triplets": "batch.triplets",
    "bins": "rules.keys",
    "edges_between": "computed",
    "emptied_bins": "inspection.emptied_bins",
    "inspect_pairs": "inspection.report",
    "linked": "rules.linked",
    "overlap": "rules.overlap",
    "pairs_from_labels": "labels",
    "parse": "rules.text",
    "same": "rules.same",
    "within": "rules.within",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
