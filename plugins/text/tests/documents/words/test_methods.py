"""A step of each method against its loss, written out and differentiated in float64."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ssl_domains.losses.nce import nce
from ssl_domains_text.documents.words.corpus import WordBatch
from ssl_domains_text.documents.words.methods import NceLanguageModel, RankingLanguageModel, SkipGram
from ssl_domains_text.documents.words.methods.ranking_lm import ranking_loss, window_scores
from ssl_domains_text.documents.words.updates import AdaGrad, PlainSteps

COUNTS = np.array([40, 30, 20, 10, 5, 5, 3], dtype=np.int64)
WORDS = np.array([0, 1, 2, 3, 0, 4, 5, 6, 1, 1, 0, 2], dtype=np.int64)
BATCH = WordBatch(WORDS, np.repeat([0, 1], [7, 5]))


class Recorder:
    """Keeps gradients of the loss, as arrays of whole parameters, instead of changing anything."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {}
        self.found: dict[str, NDArray[np.float64]] = {}

    def __call__(self, name: str, parameter: Any, rows: Any, gradient: Any, terms: Any, lr: float) -> None:
        self.found[name] = np.zeros(parameter.shape)
        self.found[name][rows] = -gradient


def doubles(method: Any) -> dict[str, torch.Tensor]:
    rng = np.random.default_rng(4)
    for value in method.parameters.values():
        value[...] = rng.normal(size=value.shape) * 0.7
    return {name: torch.from_numpy(value).double().requires_grad_() for name, value in method.parameters.items()}


def compare(recorder: Recorder, loss: torch.Tensor, leaves: dict[str, torch.Tensor]) -> None:
    for name, wanted in zip(leaves, torch.autograd.grad(loss, list(leaves.values())), strict=True):
        np.testing.assert_allclose(recorder.found[name], wanted.numpy(), atol=1e-4, err_msg=name)


class Fixed:
    """Stands for the noise: gives the drawn words of a test."""

    def __init__(self, drawn: NDArray[np.int32]) -> None:
        self.drawn = drawn

    def draw(self, rng: Any, shape: tuple[int, ...]) -> NDArray[np.int32]:
        assert shape == self.drawn.shape
        return self.drawn


def test_skipgram_goes_down_the_loss_of_negative_sampling() -> None:
    settings = SkipGram.options(dims=5, window=1, negatives=2, sample=0.0)
    method = SkipGram(COUNTS, settings, np.random.default_rng(0))
    leaves = doubles(method)
    method.update = recorder = Recorder()
    pairs = [(i, j) for i in range(12) for j in (i - 1, i + 1) if 0 <= j < 12 and (i < 7) == (j < 7)]
    drawn = np.random.default_rng(2).integers(0, 7, (len(pairs), 2)).astype(np.int32)
    object.__setattr__(method.layer, "noise", Fixed(drawn))
    result = method.step(BATCH, np.random.default_rng(0), 0.1, measure=True)
    loss = torch.zeros((), dtype=torch.float64)
    for (i, j), others in zip(pairs, drawn, strict=True):
        scores = leaves["output"] @ leaves["input"][WORDS[i]]
        loss = loss - F.logsigmoid(scores[WORDS[j]])
        loss = loss - sum(F.logsigmoid(-scores[other]) for other in others if other != WORDS[j])
    assert result.terms == len(pairs)
    assert result.loss == pytest.approx(loss.item(), rel=1e-5)
    compare(recorder, loss, leaves)


@pytest.mark.parametrize("after", [0, 1])
def test_the_language_model_goes_down_the_loss_of_nce(after: int) -> None:
    settings = NceLanguageModel.options(dims=5, window=2, after=after, negatives=3, log_partition=0.4)
    method = NceLanguageModel(COUNTS, settings, np.random.default_rng(0))
    noise = method.layer.noise
    np.testing.assert_allclose(method.parameters["bias"], np.log(COUNTS / COUNTS.sum()) + 0.4, rtol=1e-6)
    leaves = doubles(method)
    method.update = recorder = Recorder()
    offsets = [-2, -1, *([1] if after else [])]

    def around(i: int) -> list[tuple[int, int]]:
        return [
            (place, i + offset)
            for place, offset in enumerate(offsets)
            if 0 <= i + offset < 12 and (i < 7) == (i + offset < 7)
        ]

    predicted = [i for i in range(12) if around(i)]
    drawn = np.random.default_rng(2).integers(0, 7, (len(predicted), 3)).astype(np.int32)
    object.__setattr__(method.layer, "noise", Fixed(drawn))
    result = method.step(BATCH, np.random.default_rng(0), 0.1, measure=True)
    log_noise = torch.from_numpy(np.log(COUNTS / COUNTS.sum()))
    np.testing.assert_allclose(noise.log_probability, log_noise.numpy())
    losses = []
    for i, others in zip(predicted, drawn, strict=True):
        context = sum(leaves["place"][place] * leaves["input"][WORDS[j]] for place, j in around(i))
        candidates = [int(WORDS[i]), *others.tolist()]
        scores = leaves["output"][candidates] @ context + leaves["bias"][candidates]
        true = torch.tensor([[True, False, False, False]])
        losses.append(nce(scores[None], true, ~true, log_noise[candidates], 3, 0.4))
    loss = torch.cat(losses).sum()
    assert result.terms == len(predicted)
    assert result.loss == pytest.approx(loss.item(), rel=1e-5)
    compare(recorder, loss, leaves)


@pytest.mark.parametrize("shared", [0, 4])
def test_the_ranking_model_goes_down_its_hinge_loss(shared: int) -> None:
    settings = RankingLanguageModel.options(dims=3, window=1, hidden=4, negatives=2, shared=shared, margin=0.8)
    method = RankingLanguageModel(COUNTS, settings, np.random.default_rng(0))
    leaves = doubles(method)
    method.update = recorder = Recorder()
    drawn = np.random.default_rng(2).integers(0, 7, (1, shared) if shared else (12, 2)).astype(np.int32)
    method.noise = Fixed(drawn)  # type: ignore[assignment]
    result = method.step(BATCH, np.random.default_rng(0), 0.1, measure=True)

    def score(left: int, middle: int, right: int) -> torch.Tensor:
        vectors = torch.cat([leaves["words"][left], leaves["words"][right]])
        hidden = vectors @ leaves["around"] + leaves["words"][middle] @ leaves["middle"] + leaves["bias"]
        return hidden.clamp(-1, 1) @ leaves["score"]

    loss = torch.zeros((), dtype=torch.float64)
    for i in range(12):
        left = int(WORDS[i - 1]) if i not in (0, 7) else 7  # 7 stands beyond the ends
        right = int(WORDS[i + 1]) if i not in (6, 11) else 7
        true = score(left, int(WORDS[i]), right)
        for other in drawn[0 if shared else i]:
            if other != WORDS[i]:
                hinge = torch.clamp(0.8 - true + score(left, int(other), right), min=0)
                loss = loss + hinge * (2 / shared if shared else 1)
    assert result.terms == 12
    assert result.loss == pytest.approx(loss.item(), rel=1e-5)
    compare(recorder, loss, leaves)


def test_window_scores_are_those_of_the_whole_network() -> None:
    torch.manual_seed(0)
    shapes = {"words": (6, 3), "around": (6, 4), "middle": (3, 4), "bias": (4,), "score": (4,)}
    parameters = {name: torch.randn(shape, dtype=torch.float64) for name, shape in shapes.items()}
    around, middle, others = torch.tensor([[0, 1], [5, 5]]), torch.tensor([2, 3]), torch.tensor([[4, 2], [0, 1]])
    true, corrupted = window_scores(parameters, around, middle, others)
    layer = torch.cat([parameters["around"][:3], parameters["middle"], parameters["around"][3:]])
    for row in range(2):
        for word, found in zip([middle[row], *others[row]], [true[row], *corrupted[row]], strict=True):
            window = [around[row, 0], word, around[row, 1]]
            hidden = torch.cat([parameters["words"][one] for one in window]) @ layer + parameters["bias"]
            assert found.item() == pytest.approx((hidden.clamp(-1, 1) @ parameters["score"]).item(), rel=1e-12)


def test_the_ranking_loss_is_a_hinge() -> None:
    found = ranking_loss(torch.tensor([2.0, 0.0]), torch.tensor([[0.5, 1.5], [-2.0, 0.25]]))
    assert found.tolist() == [[0.0, 0.5], [0.0, 1.25]]


def test_plain_steps_add_up_a_limited_number_of_terms() -> None:
    parameter = np.ones((4, 2), dtype=np.float32)
    gradient = np.array([[1.0, 2.0], [40.0, 80.0]], dtype=np.float32)
    PlainSteps(most=10)("x", parameter, np.array([3, 1]), gradient, np.array([2.0, 40.0]), 0.5)
    np.testing.assert_allclose(parameter, [[1, 1], [1 + 0.5 * 10, 1 + 0.5 * 20], [1, 1], [1.5, 2]])


def test_adagrad_divides_by_the_root_of_the_squares() -> None:
    update, parameter = AdaGrad(), np.zeros((2, 1), dtype=np.float32)
    update("x", parameter, np.array([1]), np.array([[3.0]], dtype=np.float32), None, 0.1)
    update("x", parameter, np.array([1]), np.array([[4.0]], dtype=np.float32), None, 0.1)
    np.testing.assert_allclose(parameter, [[0], [0.1 * 3 / 3 + 0.1 * 4 / 5]], rtol=1e-6)


@pytest.mark.parametrize("kind", [SkipGram, NceLanguageModel, RankingLanguageModel])
@pytest.mark.parametrize("words", [[], [3]])
def test_a_batch_without_a_pair_changes_nothing(kind: Any, words: list[int]) -> None:
    method = kind(COUNTS, kind.options(sample=0.0), np.random.default_rng(0))
    before = {name: value.copy() for name, value in method.parameters.items()}
    batch = WordBatch(np.array(words, dtype=np.int64), np.zeros(len(words), dtype=np.int64))
    result = method.step(batch, np.random.default_rng(1), 0.1, measure=True)
    if kind is RankingLanguageModel and words:
        assert result.terms == 1  # a window of one word has places beyond the ends around it
        return
    assert result.terms == 0
    assert math.isfinite(result.loss)
    assert all(np.array_equal(before[name], value) for name, value in method.parameters.items())
