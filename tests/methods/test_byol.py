"""BYOL without a rule is the method of the paper; with one, rows predict further positives."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.losses.byol import byol_loss
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.methods.byol import BYOL, BYOLOptions
from ssl_domains.pairs import Objective, Rows, same
from ssl_domains.testing.method_case import CaseEncoder

HEAD = {"hidden": 5, "out": 4, "layers": 2}


def unit(n: int, seed: int) -> Tensor:
    z = torch.randn(n, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return F.normalize(z, dim=1)


def method() -> BYOL:
    torch.manual_seed(0)
    return BYOL.build(CaseEncoder(), {**BYOLOptions().model_dump(), **HEAD}).double()  # type: ignore[arg-type]


def parts(objective: Objective) -> tuple[Embeddings, RowPairs]:
    rows = Rows.of(torch.arange(4), views=2)
    out = Embeddings(unit(8, 0), unit(4, 0), targets={"slow": unit(8, 1)}, locate=lambda of: rows)
    return out, RowPairs(objective.bind({"g": [0, 0, 1, 2]}), rows, rows, torch.device("cpu"))


def test_without_a_rule_each_row_predicts_the_other_view() -> None:
    out, pairs = parts(Objective())
    found = method().loss(out, pairs)
    other = out.targets["slow"].roll(4, 0)
    torch.testing.assert_close(found.loss, (out.z - other).square().sum(1).mean())
    by_pairs = byol_loss(out.z, pairs(), candidates=out.targets["slow"])
    torch.testing.assert_close(found.loss, by_pairs.loss)
    torch.testing.assert_close(found.per_relation, by_pairs.per_relation)
    assert found.anchors.tolist() == by_pairs.anchors.tolist() == [8]
    assert found.no_cross_positive.tolist() == by_pairs.no_cross_positive.tolist() == [1]


def test_with_a_rule_it_predicts_further_positives() -> None:
    out, pairs = parts(1 * same("g"))
    found = method().loss(out, pairs)
    torch.testing.assert_close(found.loss, byol_loss(out.z, pairs(), candidates=out.targets["slow"]).loss)
    assert found.no_cross_positive.tolist() == [0.5]


def test_the_copy_moves_after_a_step_only() -> None:
    model = method()
    out, _ = parts(Objective())
    before = [parameter.clone() for parameter in model.slow_encoder.parameters()]
    with torch.no_grad():
        for parameter in model.encoder.parameters():
            parameter.add_(1.0)
    model.after_step(out, 0.0)
    for old, new in zip(before, model.slow_encoder.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.01)
    model.after_step(out, 1.0)  # at the end of the run the momentum is 1
    for old, new in zip(before, model.slow_encoder.parameters(), strict=True):
        torch.testing.assert_close(new, old + 0.01)
