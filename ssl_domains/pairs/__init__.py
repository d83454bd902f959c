"""Rules, objectives, their bound form, batch samplers, inspection of pairs.

Names load on first use: rules are plain descriptions and need no torch, which plugins' hooks rely on.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ssl_domains.pairs.batch_sampler import BatchSampler
    from ssl_domains.pairs.bind import BoundObjective, BoundRelation
    from ssl_domains.pairs.bound_rule import BoundRule
    from ssl_domains.pairs.composition import Composition
    from ssl_domains.pairs.computed import Binding, Computed, edges_between
    from ssl_domains.pairs.edge_rule import linked
    from ssl_domains.pairs.inspection import PairsReport, inspect_pairs
    from ssl_domains.pairs.keys import Bins, bins
    from ssl_domains.pairs.labels import pairs_from_labels
    from ssl_domains.pairs.list_rule import overlap
    from ssl_domains.pairs.objective import Objective, Relation
    from ssl_domains.pairs.pair_batch import PairBatch, Tile
    from ssl_domains.pairs.refusals import RuleTypeError
    from ssl_domains.pairs.rows import Rows
    from ssl_domains.pairs.rules import Rule, same, within
    from ssl_domains.pairs.text import parse

__all__ = [
    "BatchSampler",
    "Binding",
    "Bins",
    "BoundObjective",
    "BoundRelation",
    "BoundRule",
    "Composition",
    "Computed",
    "Objective",
    "PairBatch",
    "PairsReport",
    "Relation",
    "Rows",
    "Rule",
    "RuleTypeError",
    "Tile",
    "bins",
    "edges_between",
    "inspect_pairs",
    "linked",
    "overlap",
    "pairs_from_labels",
    "parse",
    "same",
    "within",
]

_MODULES = {
    "BatchSampler": "batch_sampler",
    "Binding": "computed",
    "Bins": "keys",
    "BoundObjective": "bind",
    "BoundRelation": "bind",
    "BoundRule": "bound_rule",
    "Composition": "composition",
    "Computed": "computed",
    "Objective": "objective",
    "PairBatch": "pair_batch",
    "PairsReport": "inspection",
    "Relation": "objective",
    "Rows": "rows",
    "Rule": "rules",
    "RuleTypeError": "refusals",
    "Tile": "pair_batch",
    "bins": "keys",
    "edges_between": "computed",
    "inspect_pairs": "inspection",
    "linked": "edge_rule",
    "overlap": "list_rule",
    "pairs_from_labels": "labels",
    "parse": "text",
    "same": "rules",
    "within": "rules",
}


def __getattr__(name: str) -> Any:
    module = _MODULES.get(name)
    if module is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{module}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
