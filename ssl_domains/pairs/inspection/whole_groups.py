"""Nuisance columns that all positives of a rule share without its reading them: every patient has one scanner."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from ssl_domains.pairs.binding.bound_rule import BoundRelation
from ssl_domains.pairs.inspection.nuisance import FEW_GROUPS, NEARLY_ALL, Sharing
from ssl_domains.pairs.rules.algebra import Rule

__all__ = ["one_value_a_group", "shared_throughout"]

Ints = NDArray[np.int64]


def shared_throughout(
    rule: Rule, relation: BoundRelation, sharing: Sequence[Sharing], columns: Mapping[str, Ints]
) -> Iterator[str]:
    """Sentences about nuisance columns whose values all positives of a relation share.

    Where the rule joins groups (``same('patient')``, also with further conditions), all rows of the training set are
    looked at; else the counted positives, if they are of enough groups. Columns that the rule reads, columns that
    nearly all pairs share, and columns that the positives are named after already, are passed over.

    Args:
        rule: The rule of the relation.
        relation: The same relation over the training rows.
        sharing: How its positives compare with each column.
        columns: Codes ``[n]`` of the columns by name, −1 missing.
    """
    for one in sharing:
        named = one.verdict.startswith("these positives are")
        if one.role == "label" or one.column in rule.columns or one.chance >= NEARLY_ALL or named:
            continue
        if relation.rule.codes is None:
            if one.agreement == 1 and (one.groups or 0) >= FEW_GROUPS:
                yield f"all positives of {relation.text} share the {one.column}"
        elif one_value_a_group(relation.rule.codes, columns[one.column]):
            equal = [] if rule.bins else sorted(rule.equal_columns)
            every = f"every {equal[0]}" if len(equal) == 1 else f"every group of {relation.text}"
            yield f"{every} has one {one.column}: positives of {relation.text} share it, too"


def one_value_a_group(groups: Ints, values: Ints) -> bool:
    """Whether no group has two values, and some group has two rows whose values are known.

    Args:
        groups: Codes ``[n]``, negative for rows in no group.
        values: Codes ``[n]``, negative where missing.
    """
    known = (groups >= 0) & (values >= 0)
    group, value = groups[known], values[known]
    if len(np.unique(group)) == len(group):
        return False
    pairs = np.unique(np.stack([group, value]), axis=1)
    return bool(len(np.unique(pairs[0])) == pairs.shape[1])
