"""Instance discrimination against loops over the bank, written from the paper's equations."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.inputs import Input, View, Views
from ssl_domains.methods import Embeddings, RowPairs, TrainingSet
from ssl_domains.methods.instance_discrimination import InstanceDiscrimination, InstanceDiscriminationOptions
from ssl_domains.pairs import Rows, parse
from ssl_domains.testing.method_case import CaseEncoder

TABLE = {"sample": list("abcdefg"), "group": [0, 0, 1, 2, 2, None, 3], "site": [0, 1, 0, 1, 0, 1, 0]}
TAU = 0.3


def method(**options: Any) -> InstanceDiscrimination:
    torch.manual_seed(0)
    settings = InstanceDiscriminationOptions(**{"temperature": TAU, **options})
    made = InstanceDiscrimination(CaseEncoder(), torch.nn.Linear(6, 4), 4, settings)  # type: ignore[arg-type]
    made.prepare(TrainingSet(7, 4))
    return made.double()


def batch(made: InstanceDiscrimination, rule: str, samples: list[int]) -> tuple[Embeddings, RowPairs]:
    rows = Rows.of(torch.tensor(samples), views=1)
    out = made.embed(Views((View(Input(torch.rand(len(samples), 3, 4, 4))),)))
    bound = parse(rule).bind(TABLE)
    pairs = RowPairs(bound, rows, rows, torch.device("cpu"))
    return Embeddings(out.z, out.pooled, rows=rows), pairs


def test_the_softmax_is_a_classifier_of_samples_whose_weights_are_the_bank() -> None:
    made = method()
    out, pairs = batch(made, "none", [3, 1, 6])
    expected = F.cross_entropy(out.z @ made.bank.vectors.T / TAU, torch.tensor([3, 1, 6]))
    found = made.loss(out, pairs)
    torch.testing.assert_close(found.loss, expected)
    assert found.anchors.tolist() == [3]


def test_a_rule_gives_positives_and_ignored_rows_of_the_bank() -> None:
    made = method()
    out, pairs = batch(made, "same('group').ignore(same('site'))", [0, 3, 5])
    s = (out.z @ made.bank.vectors.T / TAU).tolist()
    each = []
    for i, sample in enumerate([0, 3, 5]):
        group, site = TABLE["group"], TABLE["site"]
        positive = [j for j in range(7) if j == sample or (group[j] == group[sample] and group[j] is not None)]
        allowed = [j for j in range(7) if j in positive or site[j] != site[sample]]
        lse = math.log(sum(math.exp(s[i][j]) for j in allowed))
        each.append(lse - sum(s[i][j] for j in positive) / len(positive))
    assert made.loss(out, pairs).loss.item() == pytest.approx(sum(each) / 3, abs=1e-12)


@pytest.mark.parametrize(("rule", "partition"), [("none", None), ("same('group').ignore(same('site'))", 30.0)])
def test_nce_is_equation_six_of_the_paper(rule: str, partition: float | None) -> None:
    made = method(objective="nce", noise=6, partition=partition)
    assert made.noise is not None
    samples = [0, 3, 4]
    out, pairs = batch(made, rule, samples)
    drawn, bank, z = made.noise.samples.tolist(), made.bank.vectors.tolist(), out.z.tolist()
    group, site = TABLE["group"], TABLE["site"]

    def likelihood(i: int, j: int) -> float:
        return math.exp(sum(x * y for x, y in zip(z[i], bank[j], strict=True)) / TAU)

    # Equation 7: the mean of all rows and noise, times the size of the bank.
    constant = partition or 7 * sum(likelihood(i, j) for i in range(3) for j in drawn) / (3 * 6)
    each = []
    for i, sample in enumerate(samples):
        alike = {j for j in range(7) if rule != "none" and group[j] == group[sample] and group[j] is not None}
        positive = [j for j in samples if j == sample or j in alike]
        ignored = {j for j in range(7) if rule != "none" and site[j] == site[sample]}
        negative = [j for j in drawn if j != sample and j not in alike and j not in ignored]

        def is_data(j: int, i: int = i) -> float:
            p = likelihood(i, j) / constant
            return p / (p + 6 / 7)

        data = -sum(math.log(is_data(j)) for j in positive) / len(positive)
        each.append(data - sum(math.log(1 - is_data(j)) for j in negative))
    found = made.loss(out, pairs)
    assert found.loss.item() == pytest.approx(sum(each) / 3, abs=1e-10 if partition is None else 1e-6)  # a float32
    made.after_step(out, 0.5)
    assert made.noise.log_z.item() == pytest.approx(math.log(constant), abs=1e-10 if partition is None else 1e-6)


def test_the_partition_constant_is_estimated_once_and_the_noise_is_drawn_anew() -> None:
    made = method(objective="nce", noise=5)
    assert made.noise is not None
    assert math.isnan(made.noise.log_z.item())
    seen = []
    for _ in range(3):
        out, _ = batch(made, "none", [0, 3, 4])
        made.after_step(out, 0.5)
        seen.append((made.noise.log_z.item(), made.noise.samples.tolist()))
    assert len({z for z, _ in seen}) == 1
    assert len({tuple(drawn) for _, drawn in seen}) == 3


def test_the_bank_moves_towards_the_mean_of_a_samples_rows() -> None:
    made = method(momentum=0.8)
    before = made.bank.vectors.clone()
    out, _ = batch(made, "none", [2, 5, 2])
    made.after_step(out, 0.1)
    expected = before.clone()
    expected[2] = F.normalize(0.8 * before[2] + 0.2 * (out.z[0] + out.z[2]).detach() / 2, dim=0)
    expected[5] = F.normalize(0.8 * before[5] + 0.2 * out.z[1].detach(), dim=0)
    torch.testing.assert_close(made.bank.vectors, expected)
    torch.testing.assert_close(made.bank.vectors.norm(dim=1), torch.ones(7, dtype=torch.float64))


def test_the_bank_keeps_the_numbers_that_views_emit_and_the_rule_reads() -> None:
    made = method()
    made.prepare(TrainingSet(7, 4, ("gain",)))
    rows = Rows.of(torch.tensor([1, 4]), views=1, emitted={"gain": [0.5, 2.0]})
    z = F.normalize(torch.rand(2, 4), dim=1)
    made.after_step(Embeddings(z, z, rows=rows), 0.1)
    gain: Tensor = made.bank.rows(torch.arange(7)).emitted["gain"]
    assert gain[[1, 4]].tolist() == [0.5, 2.0]
    assert int(gain.isnan().sum()) == 5
    rule = parse("within('gain', 1.0)").bind(TABLE, emitted=["gain"])
    anchors = Rows.of(torch.tensor([0]), views=1, emitted={"gain": [1.2]})
    tile = rule.pairs(anchors, made.bank.rows(torch.arange(7))).dense()
    # The own row is the positive, though its number is unknown; sample 1 is within 1.0.
    assert tile.matches[0, 0].tolist() == [True, True, False, False, True, False, False]
