"""The loss of a batch is the sum of its parts' losses once every part divides by the anchors of the whole."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Rows, same, within

OBJECTIVE = (0.7 * same("a") + 0.3 * within("x", 1.0)).ignore(same("b"))
TABLE = {"a": [0, 0, 1, None, 2, 2], "b": [0, 1, 0, 1, 0, 1], "x": [0.0, 0.5, 9.0, None, 9.5, 30.0]}


@pytest.mark.parametrize("cut", [0, 1, 5, 6])
def test_parts_add_up_to_the_whole(cut: int, unit: Any) -> None:
    bound = OBJECTIVE.bind(TABLE)
    # One view: anchors without a positive drop out, so that the parts have unequal numbers that count.
    rows = Rows.of(torch.arange(6), views=1)
    z = unit(6, 4)

    whole_z, whole_tau = z.clone().requires_grad_(), torch.tensor(0.2, dtype=z.dtype, requires_grad=True)
    whole = contrastive_loss(whole_z, bound.pairs(rows), whole_tau)
    whole.loss.backward()
    assert whole.anchors.tolist() == [4, 4]

    part_z, part_tau = z.clone().requires_grad_(), torch.tensor(0.2, dtype=z.dtype, requires_grad=True)
    parts = [slice(0, cut), slice(cut, 6)]
    told: list[Tensor] = []
    losses = []
    for part in parts:

        def total(local: Tensor) -> Tensor:
            told.append(local)
            return whole.anchors

        anchors = Rows(rows.sample[part], rows.view[part], rows.part[part], rows.row[part])
        pairs = bound.pairs(anchors, rows)
        losses.append(contrastive_loss(part_z[part], pairs, part_tau, part_z, total_anchors=total))
    sum(one.loss for one in losses).backward()  # type: ignore[union-attr]

    assert (told[0] + told[1]).tolist() == whole.anchors.tolist()
    torch.testing.assert_close(losses[0].per_relation + losses[1].per_relation, whole.per_relation)
    torch.testing.assert_close(losses[0].loss + losses[1].loss, whole.loss)
    torch.testing.assert_close(part_z.grad, whole_z.grad)
    torch.testing.assert_close(part_tau.grad, whole_tau.grad)
