"""Health of the embedding: measures of collapse and spread, and a warning when it collapses.

Every measure takes embeddings on any device and returns a float32 scalar on that device, without waiting for the GPU.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.pairs import Rows

__all__ = [
    "alignment",
    "collapse_warning",
    "effective_rank",
    "embedding_std",
    "measure",
    "measured_rows",
    "uniformity",
]

# Unit vectors spread evenly over the sphere have a standard deviation of 1/√d in each dimension (Chen & He 2021), and
# an effective rank near min(d, n) (Garrido et al. 2023, RankMe). With less than a tenth of that standard deviation, or
# an effective rank below 2, a probe can't read anything from the embedding.
STD_FRACTION = 0.1
SMALLEST_RANK = 2.0

# Most rows that are measured: singular values and pairwise distances of more rows would cost as much as the step.
MOST_ROWS = 1024


def embedding_std(z: Tensor) -> Tensor:
    """Standard deviation over the rows of ``z [M, d]``, averaged over dimensions.

    Of unit vectors it is 1/√d when they are spread evenly over the sphere, and 0 when they are equal (Chen & He 2021,
    Exploring Simple Siamese Learning).
    """
    return z.float().std(dim=0, correction=0).mean()


def effective_rank(z: Tensor) -> Tensor:
    """exp of the entropy of the normalised singular values of the centred ``z [M, d]``; from 1 to min(M, d).

    Roy & Vetterli 2007, The effective rank. Like RankMe (Garrido et al. 2023), but of centred rows: otherwise a common
    offset would give one large singular value that hides the others. Equal rows have rank 1.
    """
    z = z.float()
    values = torch.linalg.svdvals(z - z.mean(dim=0))
    # Singular values as small as rounding errors count as 0.
    floor = 1e-5 * math.sqrt(len(z)) * z.norm(dim=1).mean().clamp(min=1e-30)
    values = torch.where(values > floor, values, torch.zeros_like(values))
    p = values / values.sum().clamp(min=1e-30)
    return torch.exp(-torch.special.xlogy(p, p).sum())


def alignment(one: Tensor, other: Tensor) -> Tensor:
    """Mean squared distance between row i of ``one`` and row i of ``other``, both ``[n, d]``; NaN when n is 0.

    Wang & Isola 2020, Understanding Contrastive Representation Learning through Alignment and Uniformity (α = 2).
    """
    return (other.float() - one.float()).square().sum(dim=-1).mean()


def uniformity(z: Tensor, t: float = 2.0) -> Tensor:
    """log of the mean of exp(−t·‖z_i − z_j‖²) over pairs i ≠ j of ``z [M, d]``; 0 when all rows are equal.

    Wang & Isola 2020. Lower is more even; for points spread evenly over a sphere of high dimension it is near −2t.
    """
    distances = torch.pdist(z.float()).square()
    return torch.logsumexp(-t * distances, dim=0) - math.log(max(1, distances.numel()))


@torch.no_grad()
def measure(z: Tensor, rows: Rows, pooled: Tensor | None = None) -> dict[str, Tensor]:
    """``std``, ``effective_rank``, ``alignment`` and ``uniformity`` of a batch, as scalars on its device.

    The spread (all but the alignment) is measured on one row of each sample, because views of a sample are near each
    other by design. The alignment is measured on pairs of rows of the same sample and part in different views. Rows of
    ``z`` are scaled to unit length first.

    Args:
        z: ``[M, d]``, rows of all processes.
        rows: Sample, view and part of each row.
        pooled: ``[n, F]``, features on which the spread is measured instead of ``z``.
    """
    first, one, other = _measured(rows)
    unit = F.normalize(z.detach().float(), dim=1)
    spread = unit[first.to(z.device)] if pooled is None else F.normalize(pooled[:MOST_ROWS].float(), dim=1)
    return {
        "std": embedding_std(spread),
        "effective_rank": effective_rank(spread),
        "alignment": alignment(unit[one.to(z.device)], unit[other.to(z.device)]),
        "uniformity": uniformity(spread),
    }


def measured_rows(rows: Rows) -> int:
    """Number of rows on which `measure` measures the spread."""
    return len(_measured(rows)[0])


def _measured(rows: Rows) -> tuple[Tensor, Tensor, Tensor]:
    """(rows for the spread, first rows of pairs, second rows of pairs): indices of rows, int64, on the CPU.

    For the spread, the first row of each sample in the first view; so many that all views together have at most
    `MOST_ROWS` rows.
    """
    if not len(rows):
        nothing = torch.zeros(0, dtype=torch.int64)
        return nothing, nothing, nothing
    parts = int(rows.part.max()) + 1
    views = len(torch.unique(rows.view))
    per_view = max(1, min(len(rows), MOST_ROWS) // views)
    base = torch.nonzero(rows.view == rows.view.min()).squeeze(1)
    # Row ids are (view and slot) · parts + part, in ascending order.
    of = torch.div(rows.row[base], parts, rounding_mode="floor")
    is_first = torch.ones(len(base), dtype=torch.bool)
    is_first[1:] = of[1:] != of[:-1]
    first = base[is_first][:per_view]
    base = base[torch.isin(of, of[is_first][:per_view])]
    key = rows.sample * parts + rows.part
    sorted_keys, order = torch.sort(key[base], stable=True)
    others = torch.nonzero(rows.view != rows.view.min()).squeeze(1)
    place = torch.searchsorted(sorted_keys, key[others]).clamp(max=len(base) - 1)
    same = sorted_keys[place] == key[others]
    return first, base[order[place[same]]], others[same]


def collapse_warning(std: float, rank: float, dimensions: int, rows: int) -> str:
    """A warning of one line when the embedding has collapsed, else an empty text.

    Args:
        std: `embedding_std` of unit vectors.
        rank: `effective_rank`.
        dimensions: Dimension d of the embedding.
        rows: Number of rows that were measured; with fewer than 8 there is no warning.
    """
    if rows < 8 or dimensions < 4:
        return ""
    healthy = 1 / math.sqrt(dimensions)
    if std < STD_FRACTION * healthy:
        return (
            f"the embedding is collapsing to a point: its standard deviation is {std:.2g}, below {STD_FRACTION:g} of "
            f"the {healthy:.2g} (1/√{dimensions}) of evenly spread unit vectors; lower train.lr, raise train.batch_size"
        )
    if rank < SMALLEST_RANK:
        return (
            f"the embedding is collapsing to a line: its effective rank is {rank:.2f} of {min(dimensions, rows - 1)}, "
            f"below {SMALLEST_RANK:g}; lower train.lr, or drop a relation that matches most pairs"
        )
    return ""
