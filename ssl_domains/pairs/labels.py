"""Pairs from plain labels: supervised contrastive learning in one call."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from ssl_domains.errors import UsageError
from ssl_domains.pairs.batch.pair_batch import PairBatch
from ssl_domains.pairs.batch.rows import Rows
from ssl_domains.pairs.binding.bound_rule import BoundRelation, BoundRule
from ssl_domains.pairs.bound_objective import BoundObjective
from ssl_domains.pairs.leaves.same import Same
from ssl_domains.samples import SampleTable

__all__ = ["pairs_from_labels"]


def pairs_from_labels(y: Any) -> PairBatch:
    """The pairs of rows whose positives are the rows of the same label; each row counts as a different sample.

    Khosla et al., "Supervised Contrastive Learning", 2020. For two views of each image, repeat the labels in the order
    of the views: ``pairs_from_labels(torch.cat([y, y]))``.

    Args:
        y: Labels ``[N]``, numbers or text: tensor, array or sequence. −1, NaN and None are missing; such a row has no
            positive.

    Returns:
        A square `PairBatch` on the labels' device.

    Raises:
        UsageError: When the labels are not one-dimensional.
    """
    device = y.device if isinstance(y, torch.Tensor) else torch.device("cpu")
    values = y.detach().cpu().numpy() if isinstance(y, torch.Tensor) else y
    if np.ndim(values) != 1:
        raise UsageError(f"labels have {np.ndim(values)} dimensions, not 1", "one label a row; multi-label: use a rule")
    codes = SampleTable.of({"label": values}).codes("label")
    if len(codes) and not isinstance(values[0], str):
        missing = np.array([value is None or value == -1 for value in values])
        codes = np.where(missing, -1, codes)
    rule = BoundRule.of(Same(codes, "label"), "same('label')")
    relation = BoundRelation(1.0, rule.text, False, rule)
    rows = Rows.of(torch.arange(len(codes), device=device), views=1)
    return BoundObjective(len(codes), (relation,)).pairs(rows)
