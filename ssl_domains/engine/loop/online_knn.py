"""Online k-NN: how well a label can be read from the features of the training rows, while the encoder trains.

The label is only measured, never trained on. Rows of one group (a patient, a recording) are never neighbours of each
other: they look alike whatever the encoder has learnt, and mostly have the same label, so that an encoder which tells
patients apart would seem to know the label.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.pairs.inspection.nuisance import comparable_codes
from ssl_domains.samples import SampleTable

__all__ = ["OnlineLabels", "knn_balanced_accuracy", "online_labels"]


@dataclass(frozen=True)
class OnlineLabels:
    """Classes and groups of the training rows.

    Attributes:
        classes: Class of each row, int64 ``[n]`` from 0, −1 where the label is missing.
        groups: Group of each row, int64 ``[n]``; a row whose group is not known is a group of its own.
        number: Number of classes.
    """

    classes: Tensor
    groups: Tensor
    number: int


def online_labels(table: SampleTable, label: str, group: str | None) -> OnlineLabels:
    """The classes and groups of the training rows.

    Args:
        table: The training rows.
        label: The label column. Numbers of 20 or more different values are cut into ten classes of equal counts.
        group: Column of the groups; None makes each row a group of its own.

    Raises:
        UsageError: When a column is missing or holds lists, or when fewer than two classes have rows in two groups:
            there is nothing to measure then.
    """
    if table.label(label).dtype.is_nested():
        raise UsageError(f"health.label: column {label!r} holds lists, not one class a row", "leave out health.label")
    classes = comparable_codes(table, label)
    rows = np.arange(len(table), dtype=np.int64)
    codes = rows if group is None else table.codes(group)
    groups = np.where(codes < 0, codes.max(initial=0) + 1 + rows, codes)
    if _in_two_groups(classes, groups) < 2:
        unit = "rows" if group is None else f"groups of {group!r}"
        message = f"health.label: k-NN needs two values of {label!r} that occur in two {unit} each"
        raise UsageError(message, "name another label, or compare all rows: --set health.group=sample")
    number = int(classes.max(initial=-1)) + 1
    return OnlineLabels(torch.from_numpy(classes), torch.from_numpy(groups), number)


def _in_two_groups(classes: NDArray[np.int64], groups: NDArray[np.int64]) -> int:
    """Number of classes that have rows in at least two groups."""
    pairs = np.unique(np.stack([classes, groups])[:, classes >= 0], axis=1)
    return int((np.bincount(pairs[0], minlength=1) > 1).sum())


def knn_balanced_accuracy(
    features: Tensor,
    classes: Tensor,
    groups: Tensor,
    bank: Tensor,
    bank_classes: Tensor,
    bank_groups: Tensor,
    k: int,
    number: int,
) -> tuple[Tensor, Tensor]:
    """Balanced accuracy of the vote of the ``k`` nearest rows of a bank, by cosine, that are of other groups.

    A class takes part when the bank has rows of it in at least two groups; rows of other classes are neither classified
    nor neighbours. A row's candidates are the bank's rows of these classes that are not of its own group, and of each
    class only so many, the last ones of the bank, as are left of it without its largest group. So every row has equally
    many candidates of a class, whatever its group: leaving out a group leaves out rows of the row's class mostly, and
    features that know nothing would else score below 1/classes.

    Args:
        features: Features ``[M, F]`` of the rows.
        classes: Class of each row, int64 ``[M]``, −1 missing.
        groups: Group of each row, int64 ``[M]``, not negative.
        bank: Features ``[N, F]``.
        bank_classes: Class of each row of the bank, int64 ``[N]``, −1 missing.
        bank_groups: Group of each row of the bank, int64 ``[N]``, not negative.
        k: Number of neighbours; of classes with equally many of them, the class of the nearest one is taken.
        number: Number of classes C.

    Returns:
        Two scalars on the device of ``features``: the mean over classes of the share of rows that the vote classifies
        rightly, NaN when rows of fewer than two classes can be classified; and the number of classes that take part,
        whose inverse is what features that know nothing reach.
    """
    nothing = torch.full((), float("nan"), device=features.device)
    if not len(features) or not len(bank):
        return nothing, torch.zeros((), dtype=torch.int64, device=features.device)
    # Sorted by class, the last row of the bank first in each: a class is one stretch of columns.
    order = len(bank) - 1 - torch.sort(bank_classes.flip(0), stable=True).indices
    bank, bank_classes, bank_groups = bank[order], bank_classes[order], bank_groups[order]
    left = _left_without_largest_group(bank_classes, bank_groups, number)
    candidate = groups[:, None] != bank_groups[None, :]
    candidate &= _place_in_class(candidate, bank_classes) < left[bank_classes]
    similarity = F.normalize(features.float(), dim=1) @ F.normalize(bank.float(), dim=1).T
    nearest, where = _nearest(similarity.masked_fill(~candidate, float("-inf")), min(k, len(bank)))
    rank = torch.arange(where.shape[1], device=features.device)
    # Fractions that no other neighbours together reach: of equally many votes, those with the nearest row win.
    vote = (1 + torch.exp2(-2.0 - rank)) * (nearest > float("-inf"))
    votes = torch.zeros(len(features), number, device=features.device)
    votes.scatter_add_(1, bank_classes.clamp(min=0)[where], vote)
    judged = left[classes] > 0
    right = (votes.argmax(dim=1) == classes) & judged
    rows = torch.zeros(number, device=features.device).scatter_add_(0, classes.clamp(min=0), judged.float())
    hits = torch.zeros_like(rows).scatter_add_(0, classes.clamp(min=0), right.float())
    classified = (rows > 0).sum()
    mean = (hits / rows.clamp(min=1)).sum() / classified.clamp(min=1)
    return torch.where(classified > 1, mean, nothing), (left > 0).sum()


def _left_without_largest_group(bank_classes: Tensor, bank_groups: Tensor, number: int) -> Tensor:
    """Rows of each class without the group that has most of them, int64 ``[C + 1]``; the last entry, of −1, is 0."""
    together = (bank_classes[:, None] == bank_classes[None, :]) & (bank_groups[:, None] == bank_groups[None, :])
    place = torch.where(bank_classes < 0, number, bank_classes)
    zeros = torch.zeros(number + 1, dtype=torch.int64, device=bank_classes.device)
    largest = zeros.scatter_reduce(0, place, together.sum(dim=1), "amax")
    left = torch.bincount(place, minlength=number + 1) - largest
    left[number] = 0
    return left


def _place_in_class(candidate: Tensor, bank_classes: Tensor) -> Tensor:
    """How many candidates of the same class stand before each column, int64 ``[M, N]``; columns are sorted by class."""
    before = candidate.cumsum(dim=1) - candidate.long()
    start = torch.searchsorted(bank_classes, bank_classes)
    return before - before[:, start]


def _nearest(similarity: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k largest values of each row of ``[M, N]`` and their columns; of equal values the first columns."""
    if similarity.device.type == "mps":  # which has no float64
        values, where = similarity.sort(dim=1, descending=True, stable=True)
        return values[:, :k], where[:, :k]
    # topk promises nothing for equal values: a term far below the resolution of float32 tells them apart.
    columns = torch.arange(similarity.shape[1], dtype=torch.float64, device=similarity.device)
    where = (similarity.double() - columns * 2.0**-50).topk(k, dim=1).indices
    return similarity.gather(1, where), where
