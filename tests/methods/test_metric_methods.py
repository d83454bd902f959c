"""The metric-learning methods: their contract, their options, and the draws of a miner."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

import method_doubles as doubles
from ssl_domains.encoders import create_encoder
from ssl_domains.inputs import Input, View, Views
from ssl_domains.losses import LossOutput, margin_loss, n_pair, pair_margin, pairwise_sigmoid
from ssl_domains.methods import Method, MethodSource, RowPairs
from ssl_domains.methods.lifted_structure import LiftedStructure
from ssl_domains.methods.margin import Margin
from ssl_domains.methods.n_pair import NPair
from ssl_domains.methods.siamese import Siamese
from ssl_domains.methods.sigmoid import Sigmoid
from ssl_domains.methods.triplet import Triplet
from ssl_domains.miners import batch_all
from ssl_domains.pairs import Rows, same
from ssl_domains.testing import MethodCase, check_method

GRADED = "(0.7*same('group') + 0.3*within('x', 2, decay='linear')).ignore(same('site'))"


def siamese() -> MethodCase:
    return MethodCase(Siamese, rule=GRADED)


def siamese_cosine() -> MethodCase:
    return MethodCase(Siamese, options={"loss": "cosine"})


def triplet() -> MethodCase:
    return MethodCase(Triplet)


def triplet_of_grades() -> MethodCase:
    return MethodCase(Triplet, options={"miner": "batch_all", "soft_margin": True}, rule=GRADED)


def triplet_semi_hard() -> MethodCase:
    return MethodCase(Triplet, options={"miner": "semi_hard", "margin": 1.0, "squared": True, "over": "all"})


def triplet_of_drawn_negatives() -> MethodCase:
    return MethodCase(Triplet, options={"miner": "distance_weighted", "margin": 1.0})


def triplet_with_drawn_seats() -> MethodCase:
    return MethodCase(Triplet, options={"miner": "batch_all"}, seats=doubles.SEATS, negatives=1)


def triplet_on_waves() -> MethodCase:
    waves = doubles.ragged_waves()
    return MethodCase(Triplet, encoder=waves.encoder, inputs=waves.inputs, recipe=waves.recipe, rule=waves.rule)


def lifted_structure() -> MethodCase:
    return MethodCase(LiftedStructure, rule=GRADED)


def n_pairs() -> MethodCase:
    return MethodCase(NPair, options={"l2": 0.1})


def margin() -> MethodCase:
    return MethodCase(Margin)


def margin_fixed() -> MethodCase:
    return MethodCase(Margin, options={"learn_beta": False, "miner": "batch_hard"}, rule=GRADED)


def sigmoid() -> MethodCase:
    return MethodCase(Sigmoid, rule=GRADED)


IN_TWO_PROCESSES = [siamese, triplet, triplet_of_drawn_negatives, lifted_structure, n_pairs, margin, sigmoid]
IN_ONE = [
    siamese_cosine, triplet_of_grades, triplet_semi_hard, triplet_with_drawn_seats, triplet_on_waves, margin_fixed,
]  # fmt: skip


@pytest.mark.parametrize("case", [*IN_TWO_PROCESSES, *IN_ONE], ids=lambda case: case.__name__)
def test_the_methods_keep_their_contract(case: Any) -> None:
    check_method(case, processes=case in IN_TWO_PROCESSES)


# what they compute ---------------------------------------------------------------------------------------------------

HEAD = {"hidden": 32, "out": 16, "layers": 1}


def built(source: MethodSource, **options: Any) -> Method:
    torch.manual_seed(0)
    values = {**source.options().model_dump(), **options, **HEAD}
    return source.build(create_encoder("small_conv", 1), values)


def scored(method: Method) -> tuple[Tensor, RowPairs, LossOutput]:
    torch.manual_seed(1)
    out = method.embed(Views(tuple(View(Input(torch.rand(6, 1, 16, 16))) for _ in range(2))))
    rows = Rows.of(torch.arange(6), views=2)
    pairs = RowPairs(same("g").bind({"g": [0, 0, 1, 1, 2, 2]}), rows, rows, torch.device("cpu"))
    return out.z, pairs, method.loss(out, pairs)


def test_they_hand_their_options_to_the_loss() -> None:
    z, pairs, out = scored(built(Siamese, margin=0.4))
    torch.testing.assert_close(out.loss, pair_margin(z, pairs(), margin=0.4).loss)
    z, pairs, out = scored(built(NPair, l2=0.7))
    torch.testing.assert_close(out.loss, n_pair(z, pairs(), l2=0.7).loss)
    z, pairs, out = scored(built(Sigmoid, temperature=0.2, bias=-3.0))
    torch.testing.assert_close(out.loss, pairwise_sigmoid(z, pairs(), scale=5.0, bias=-3.0).loss)
    z, pairs, out = scored(built(Margin, miner="batch_all", beta=0.9, margin=0.1))
    torch.testing.assert_close(out.loss, margin_loss(z, pairs(), batch_all, beta=0.9, margin=0.1).loss)


def test_the_learned_numbers_are_bounded_and_logged() -> None:
    method = built(Sigmoid)
    assert method.temperature == pytest.approx(0.1)
    with torch.no_grad():
        method.get_parameter("log_scale").fill_(99.0)
    assert method.temperature == pytest.approx(0.01)
    assert math.isnan(built(Triplet).temperature)


def test_draws_change_from_step_to_step_and_between_seeds() -> None:
    method = built(Triplet, miner="distance_weighted", margin=2.0)
    _, _, first = scored(method)
    _, _, again = scored(method)
    assert torch.equal(first.loss, again.loss)
    out = method.embed(Views(tuple(View(Input(torch.rand(6, 1, 16, 16))) for _ in range(2))))
    method.after_step(out, 0.5)
    assert not torch.equal(scored(method)[2].loss, first.loss)
    with torch.random.fork_rng():
        torch.manual_seed(9)
        other = Triplet.build(method.encoder, {**Triplet.options().model_dump(), **HEAD})
    assert int(other.get_buffer("seed")) != int(method.get_buffer("seed"))


def test_counts_of_what_a_miner_found() -> None:
    _, _, out = scored(built(Triplet, miner="batch_hard", margin=4.0))
    counts: Mapping[str, Tensor] = out.counts
    assert {name: int(value) for name, value in counts.items()} == {
        "triplets": 12, "active": 12, "anchors_without_positive": 0, "anchors_without_negative": 0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "options", "words"),
    [
        (Siamese, {"loss": "cosine", "margin": 1.0}, "no cosine"),
        (Siamese, {"margin": 2.5}, "unit sphere"),
        (Siamese, {"loss": "hinge"}, "pair_margin"),
        (Triplet, {"miner": "hardest"}, "batch_hard"),
        (Triplet, {"margin": -0.1}, "greater than or equal to 0"),
        (Triplet, {"squared": True, "miner": "distance_weighted"}, "plain distances"),
        (NPair, {"l2": -1.0}, "greater than or equal to 0"),
        (LiftedStructure, {"margin": 0.0}, "greater than 0"),
        (Margin, {"beta": 3.0}, "less than or equal to 2"),
        (Sigmoid, {"temperature": 0.0}, "greater than or equal to 0.01"),
    ],
)
def test_options_out_of_range_are_refused(source: MethodSource, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        source.options(**options)
