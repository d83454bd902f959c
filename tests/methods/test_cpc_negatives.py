"""The negatives that CPC uses are what its option and the rule say, place by place."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from torch import Tensor

import ssl_domains.methods.cpc as module
from method_doubles import WaveRecipe, waves
from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.methods.cpc import CPC
from ssl_domains.pairs import Rows, parse
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.testing.method_case import CaseEncoder

STEPS, WIDTH, TAU = 3, 4, 0.6
SPEAKER = "none.ignore((~same('speaker')).across_parts())"


@cache
def cpc(negatives: str = "all") -> CPC:
    options = {"steps": STEPS, "context": 5, "temperature": TAU, "patch": None, "stride": None, "negatives": negatives}
    return CPC.build(create_encoder("conv1d", takes=InputSpec("wave", 1, (None,))), options)


class Sequences:
    """Views of samples with random places: ``lengths[v]`` places of view ``v``, of the sample ``samples[v]``."""

    def __init__(self, lengths: list[int], samples: list[int], seed: int) -> None:
        draws = torch.Generator().manual_seed(seed)
        self.view = torch.cat([torch.full((n,), v) for v, n in enumerate(lengths)])
        self.part = torch.cat([torch.arange(n) for n in lengths])
        self.sample = torch.tensor(samples)[self.view]
        count = len(self.view)
        z = torch.randn(count, WIDTH, generator=draws, dtype=torch.float64)
        ahead = torch.randn(count, STEPS, WIDTH, generator=draws, dtype=torch.float64)
        known = torch.stack([self.part >= k for k in range(1, STEPS + 1)], dim=1)
        self.out = Embeddings(z, z, {"ahead": ahead, "known": known.double()}, of=self.view, part=self.part)

    def pairs(self, rule: str, speakers: list[str | None]) -> RowPairs:
        row = self.view * 100 + self.part
        rows = Rows(self.sample, self.view, self.part, row)
        table = {"sample": [f"s{i}" for i in range(len(speakers))], "speaker": speakers}
        return RowPairs(parse(rule).bind(table), rows, rows, torch.device("cpu"))

    def predictions(self) -> list[tuple[int, int]]:
        """Place and number of steps of each prediction."""
        return [(int(row), int(step)) for row, step in (self.out.more["known"] > 0).nonzero().tolist()]

    def brute_force(self, compared: Any) -> float:
        losses = []
        for target, step in self.predictions():
            ahead = self.out.more["ahead"][target, step]
            scores = [float(ahead @ z) / TAU for z in self.out.z]
            below = sum(math.exp(scores[j]) for j in range(len(scores)) if j == target or compared(target, j))
            losses.append(math.log(below) - scores[target])
        return sum(losses) / len(losses)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Sequences, list[str | None]]:
    samples = draw(st.lists(st.integers(0, 4), min_size=1, max_size=5))  # a sample may be drawn twice
    lengths = draw(st.lists(st.integers(1, 6), min_size=len(samples), max_size=len(samples)))
    lengths[0] = max(lengths[0], 2)
    speakers = draw(st.lists(st.sampled_from(["a", "b", None]), min_size=5, max_size=5))
    return Sequences(lengths, samples, draw(st.integers(0, 999))), speakers


def used(made: CPC, one: Sequences, pairs: RowPairs, patch: pytest.MonkeyPatch) -> tuple[list[set[int]], float]:
    """The candidates that each prediction is compared with, without its target; and the loss."""
    seen: list[Tensor] = []
    real = module.contrastive_loss

    def noted(anchors: Tensor, batch: Any, *rest: Any, **options: Any) -> Any:
        dense = batch.dense()
        positive = dense.matches.any(dim=0)
        assert positive.sum(dim=1).tolist() == [1] * len(anchors)
        seen.append(dense.allowed & ~positive)
        return real(anchors, batch, *rest, **options)

    with patch.context() as local:
        local.setattr(module, "contrastive_loss", noted)
        loss = float(made.loss(one.out, pairs).loss)
    return [set(row.nonzero().flatten().tolist()) for row in seen[0]], loss


@settings(max_examples=40, deadline=None, phases=[Phase.generate])
@given(case=cases(), option=st.sampled_from(["all", "sequence", "speaker"]))
def test_the_negatives_are_exactly_those_that_the_option_names(
    case: tuple[Sequences, list[str | None]], option: str
) -> None:
    one, speakers = case
    if option != "sequence" and len(set(one.sample.tolist())) < len(one.view.unique()):
        one = Sequences([int((one.view == v).sum()) for v in one.view.unique()], list(range(len(one.view.unique()))), 1)
    view, sample = one.view.tolist(), one.sample.tolist()

    def compared(i: int, j: int) -> bool:
        if option == "sequence":
            return view[i] == view[j]
        if option == "all":
            return True
        a, b = speakers[sample[i]], speakers[sample[j]]
        return sample[i] == sample[j] or a is None or b is None or a == b

    made = cpc("sequence" if option == "sequence" else "all")
    pairs = one.pairs(SPEAKER if option == "speaker" else "none", speakers)
    with pytest.MonkeyPatch.context() as patch:
        negatives, loss = used(made, one, pairs, patch)
    places = range(len(view))
    expected = [{j for j in places if j != i and compared(i, j)} for i, _ in one.predictions()]
    assert negatives == expected
    assert loss == pytest.approx(one.brute_force(compared), abs=1e-9)


def test_a_rule_for_places_of_the_same_number_alone_is_refused() -> None:
    one = Sequences([3, 3], [0, 1], 0)
    with pytest.raises(UsageError, match="places of the same number only") as caught:
        cpc().loss(one.out, one.pairs("none.ignore(~same('speaker'))", ["a", "b"]))
    assert caught.value.hint == f'--rule "{SPEAKER}"'


@pytest.mark.parametrize("rule", [SPEAKER, "same('speaker')"])
def test_negatives_of_one_sequence_leave_nothing_to_a_rule(rule: str) -> None:
    one = Sequences([3, 3], [0, 1], 0)
    with pytest.raises(UsageError, match="no two samples meet"):
        cpc("sequence").loss(one.out, one.pairs(rule, ["a", "b"]))


def wave_encoder() -> CaseEncoder:
    made = CaseEncoder(1)
    made.takes = InputSpec("wave", 1, (None,))
    return made


def in_sequences() -> MethodCase:
    options = {"steps": 2, "context": 4, "negatives": "sequence"}
    return MethodCase(
        CPC, options=options, encoder=wave_encoder, inputs=waves, recipe=WaveRecipe(1), rule="none", head={}
    )


def test_negatives_of_one_sequence_train_the_same_in_two_processes_and_with_gradient_caching() -> None:
    check_method(in_sequences)
