"""MoCo's losses equal their formulas over the keys of batch and queue, written as loops."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.methods import Embeddings, RowPairs, TrainingSet
from ssl_domains.methods.moco import MoCo, MoCoOptions
from ssl_domains.methods.moco_v3 import MoCoV3
from ssl_domains.pairs import Objective, Rows, same
from ssl_domains.testing.method_case import CaseEncoder

GROUPS = [0, 0, 1, 1, 2, 2]
HEAD = {"hidden": 5, "out": 4, "layers": 2}


def made(**options: Any) -> MoCo:
    torch.manual_seed(0)
    values = {**MoCoOptions().model_dump(), **HEAD, "norm": "none", **options}
    method = MoCo.build(CaseEncoder(), values)  # type: ignore[arg-type]
    method.prepare(TrainingSet(samples=len(GROUPS), batch_size=4))
    return method.double()


def unit(n: int, seed: int) -> Tensor:
    z = torch.randn(n, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.normalize(z, dim=1)


def located(both: Rows) -> Callable[[Tensor | None], Rows]:
    return lambda of: both if of is None else both.take(of)


def v2_loss(method: MoCo, objective: Objective, stored: list[int]) -> tuple[float, Tensor, Tensor, Tensor]:
    """The loss of samples 0 to 3 against a queue of some samples, and queries, keys and queue."""
    both = Rows.of(torch.arange(4), views=2)
    queries, keys, queue = unit(4, 0), unit(4, 1), unit(len(stored), 2)
    method.queue.push(queue, Rows.of(torch.tensor(stored), views=1))
    second = torch.arange(4, 8)
    out = Embeddings(queries, queries, of=torch.arange(4), targets={"keys": keys}, target_of={"keys": second})
    out = replace(out, locate=located(both))
    rows = both.take(torch.arange(4))
    pairs = RowPairs(objective.bind({"g": GROUPS}), rows, rows, torch.device("cpu"))
    return float(method.loss(out, pairs).loss.detach()), queries, keys, queue


def cross_entropy(scores: dict[str, list[float]]) -> float:
    every = sum(math.exp(s) for values in scores.values() for s in values)
    return math.log(every) - sum(scores["positive"]) / len(scores["positive"])


@pytest.mark.parametrize("older", ["positive", "ignore"])
@pytest.mark.parametrize("rule", [Objective(), 1 * same("g")], ids=["none", "group"])
def test_v2_is_the_formula(older: str, rule: Objective) -> None:
    stored = [1, 0, 5]
    method = made(queue=5, queue_positives=older)  # two places are not filled
    loss, queries, keys, queue = v2_loss(method, rule, stored)
    expected = 0.0
    for i in range(4):
        scores: dict[str, list[float]] = {"positive": [], "negative": []}
        for j in range(4):
            match = i == j or (bool(rule.relations) and GROUPS[i] == GROUPS[j])
            scores["positive" if match else "negative"].append(float(queries[i] @ keys[j]) / 0.2)
        for place, sample in enumerate(stored):
            match = bool(rule.relations) and GROUPS[i] == GROUPS[sample]
            if sample == i or (match and older == "ignore"):
                continue  # an older view of the query's own sample, or a positive that is too old
            scores["positive" if match else "negative"].append(float(queries[i] @ queue[place]) / 0.2)
        expected += cross_entropy(scores) / 4
    assert loss == pytest.approx(expected, rel=1e-9)


def test_v3_is_the_formula() -> None:
    method = made(form="v3")
    assert isinstance(method, MoCoV3)
    rows = Rows.of(torch.arange(4), views=2)
    queries, keys = unit(8, 0), unit(8, 1)
    out = Embeddings(queries, queries[:4], targets={"keys": keys}, locate=located(rows))
    pairs = RowPairs(Objective().bind({"g": GROUPS}), rows, rows, torch.device("cpu"))
    expected = 0.0
    for first, other in ((0, 4), (4, 0)):
        logits = queries[first : first + 4] @ keys[other : other + 4].T / 0.2
        expected += float(torch.nn.functional.cross_entropy(logits, torch.arange(4))) / 2
    assert float(method.loss(out, pairs).loss.detach()) == pytest.approx(expected, rel=1e-9)


def test_the_queue_has_the_length_of_the_table_by_default() -> None:
    assert len(made().queue) == len(GROUPS)
    assert not hasattr(made(form="v3"), "queue")


def test_a_queue_that_does_not_fit_is_refused() -> None:
    with pytest.raises(UsageError, match="the queue of 7 keys is longer than the table of 6 training samples"):
        made(queue=7)
    with pytest.raises(UsageError, match="form v3 has no queue"):
        made(form="v3", queue=4)
