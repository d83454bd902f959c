"""Bins of equal width that far values leave nearly empty: with one value at 200, all others are in the first bin."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ssl_domains.pairs.binding.bins import assign_bins, fit_edges
from ssl_domains.pairs.rules.keys import Bins
from ssl_domains.samples import SampleTable

__all__ = ["emptied_bins"]

_SHARE = 0.05  # of the rows that a bin would have if all had as many: with fewer a bin counts as nearly empty
_ROWS = 10  # rows for each bin; fewer leave bins empty by chance


def emptied_bins(
    keys: Iterable[Bins], table: SampleTable, fitted: Mapping[str, Sequence[float]] | None = None
) -> list[str]:
    """A sentence for each key whose fitted bins of equal width are nearly empty in part.

    Keys by quantile, with a fixed range or per group are passed over: their edges do not follow the largest value.

    Args:
        keys: The `bins` keys of a rule.
        table: The training rows.
        fitted: Edges by the key's text; missing ones are fitted on ``table``.

    Returns:
        Sentences for the user, which name the range, where most values are, and what to write instead.
    """
    sentences = []
    for key in dict.fromkeys(keys):
        if key.by != "width" or key.per is not None or key.range is not None or key.column not in table.columns:
            continue
        values = table.numbers(key.column)
        values = values[np.isfinite(values)]
        edges = (fitted or {}).get(str(key)) or fit_edges(values, key.n, key.by)
        if len(edges) < 3 or len(values) < _ROWS * (len(edges) - 1):
            continue
        counts = np.bincount(assign_bins(values, edges), minlength=len(edges) - 1)
        few = counts <= max(1.0, _SHARE * len(values) / len(counts))  # a single row has no positive
        if few.any():
            low, high = np.quantile(values, [0.05, 0.95])
            sentences.append(
                f"{int(few.sum())} of {len(counts)} bins of {key} {'holds' if few.sum() == 1 else 'hold'} "
                f"{int(counts[few].sum()):,} of {len(values):,} "
                f"rows: equal widths reach from {edges[0]:.4g} to {edges[-1]:.4g}, and 90 % of the values lie between "
                f"{low:.4g} and {high:.4g}; write bins({key.column!r}, {key.n}, by='quantile') for equal counts"
            )
    return sentences
