"""Gradients of the output layer against `neg` and `nce`, differentiated in float64."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.losses.nce import nce
from ssl_domains.losses.neg import neg
from ssl_domains_text.documents.words.noise import Noise
from ssl_domains_text.documents.words.output_layer import BLOCK, OutputGradients, OutputLayer
from ssl_domains_text.documents.words.windows import Pairs, skipgram_pairs

VOCABULARY, DIMS, K = 11, 6, 3
COUNTS = np.arange(1, VOCABULARY + 1, dtype=np.int64) ** 2


class Case:
    """Some words of two sentences, with vectors in float32 that the reference takes as float64."""

    def __init__(self, length: int = 90) -> None:
        rng = np.random.default_rng(1)
        self.words = rng.integers(0, VOCABULARY, length)
        sentences = np.repeat([0, 1], [length // 3, length - length // 3])
        self.pairs: Pairs = skipgram_pairs(sentences, rng.integers(1, 4, length), 3)
        self.true = self.words[self.pairs.targets]
        self.inputs = rng.normal(size=(length, DIMS)).astype(np.float32)
        self.outputs = rng.normal(size=(VOCABULARY, DIMS)).astype(np.float32)
        self.shift = rng.normal(size=VOCABULARY).astype(np.float32)
        self.rng = rng

    def leaves(self) -> tuple[Tensor, Tensor, Tensor]:
        made = [torch.from_numpy(one).double().requires_grad_() for one in (self.inputs, self.outputs, self.shift)]
        return made[0], made[1], made[2]


def check(found: OutputGradients, loss: Tensor, leaves: tuple[Tensor, ...], terms: NDArray[np.float64]) -> None:
    """The found gradients are those of the loss, times −1; words that weren't found have none."""
    inputs, outputs, *shift = (-one.numpy() for one in torch.autograd.grad(loss, leaves))
    assert found.loss == pytest.approx(loss.item(), rel=1e-5)
    np.testing.assert_allclose(found.inputs, inputs, atol=2e-5)
    full = np.zeros((VOCABULARY, DIMS))
    full[found.words] = found.outputs
    np.testing.assert_allclose(full, outputs, atol=1e-4)
    if shift:
        full_shift = np.zeros(VOCABULARY)
        full_shift[found.words] = found.shifts
        np.testing.assert_allclose(full_shift, shift[0], atol=1e-4)
    full_terms = np.zeros(VOCABULARY)
    full_terms[found.words] = found.terms
    np.testing.assert_allclose(full_terms, terms, rtol=1e-5)


def test_own_words_are_negative_sampling() -> None:
    case = Case()
    drawn = Noise(COUNTS, 0.75).draw(case.rng, (len(case.true), K))
    drawn[::5, 1] = case.true[::5]  # the true word itself, which doesn't count
    layer = OutputLayer(Noise(COUNTS, 0.75), K, 0, skip_true=True)
    found = layer.with_own(case.inputs, case.outputs, None, case.pairs, case.true, drawn, measure=True)
    inputs, outputs, _ = case.leaves()
    losses, terms = [], np.zeros(VOCABULARY)
    for pair, (place, true) in enumerate(zip(case.pairs.inputs, case.true, strict=True)):
        candidates = [int(true), *drawn[pair].tolist()]
        counts = torch.tensor([[False, *(one != true for one in drawn[pair])]])
        positive = torch.tensor([[True] + [False] * K])
        losses.append(neg((outputs[candidates] @ inputs[place])[None], positive, counts))
        np.add.at(terms, candidates, np.where(counts[0] | positive[0], 1.0, 0.0))
    check(found, torch.cat(losses).sum(), (inputs, outputs), terms)


def test_own_words_are_noise_contrastive_estimation() -> None:
    case = Case()
    noise, log_z = Noise(COUNTS, 1.0), 0.3
    drawn = noise.draw(case.rng, (len(case.true), K))
    drawn[::5, 1] = case.true[::5]  # noise may be the true word
    layer = OutputLayer(noise, K, 0, skip_true=False)
    shift = (case.shift - log_z - math.log(K) - noise.log_probability).astype(np.float32)
    found = layer.with_own(case.inputs, case.outputs, shift, case.pairs, case.true, drawn, measure=True)
    inputs, outputs, bias = case.leaves()
    log_noise = torch.from_numpy(noise.log_probability)
    losses, terms = [], np.zeros(VOCABULARY)
    for pair, (place, true) in enumerate(zip(case.pairs.inputs, case.true, strict=True)):
        candidates = [int(true), *drawn[pair].tolist()]
        positive = torch.tensor([[True] + [False] * K])
        scores = (outputs[candidates] @ inputs[place] + bias[candidates])[None]
        losses.append(nce(scores, positive, ~positive, log_noise[candidates], K, log_z))
        np.add.at(terms, candidates, 1.0)
    check(found, torch.cat(losses).sum(), (inputs, outputs, bias), terms)


@pytest.mark.parametrize("skip_true", [True, False])
@pytest.mark.parametrize("length", [BLOCK, BLOCK + 26])
def test_shared_words_count_k_by_their_number_for_each_pair(skip_true: bool, length: int) -> None:
    case = Case(length)
    shared = 7
    drawn = Noise(COUNTS, 0.75).draw(case.rng, (-(-length // BLOCK), shared))
    layer = OutputLayer(Noise(COUNTS, 0.75), K, shared, skip_true)
    found = layer.with_shared(case.inputs, case.outputs, case.shift, case.pairs, case.true, drawn, measure=True)
    inputs, outputs, shift = case.leaves()
    loss, terms = torch.zeros((), dtype=torch.float64), np.zeros(VOCABULARY)
    for place, true in zip(case.pairs.inputs, case.true, strict=True):
        others = drawn[place // BLOCK]
        logits = outputs @ inputs[place] + shift
        loss = loss - torch.nn.functional.logsigmoid(logits[true])
        terms[true] += 1
        for other in others:
            if not (skip_true and other == true):
                loss = loss - K / shared * torch.nn.functional.logsigmoid(-logits[other])
                terms[other] += K / shared
    check(found, loss, (inputs, outputs, shift), terms)


def test_shared_and_own_words_have_the_same_expected_gradient() -> None:
    case = Case()
    noise = Noise(COUNTS, 0.75)
    sums = []
    for shared in (0, 16):
        layer = OutputLayer(noise, K, shared, skip_true=True)
        rng = np.random.default_rng(9)
        total = np.zeros((VOCABULARY, DIMS))
        for _ in range(400):
            found = layer.gradients(case.inputs, case.outputs, None, case.pairs, case.true, rng)
            total[found.words] += found.outputs
        sums.append(total / 400)
    spread = np.abs(sums[0]).max()
    np.testing.assert_allclose(sums[0], sums[1], atol=0.03 * spread)
