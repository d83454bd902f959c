"""CTC against brute force: every alignment of a few frames, in float64."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.probes.transcripts import beam_search, best_path, ctc_losses, decode, log_probability

SHAPES = [(1, 2), (2, 3), (3, 3), (4, 4), (5, 3), (6, 2)]


def spelled(path: tuple[int, ...]) -> tuple[int, ...]:
    """The label that an alignment spells: equal neighbours are one, blanks are nothing."""
    return tuple(code for code, _ in itertools.groupby(path) if code)


def every_label(log_probs: NDArray[np.float64]) -> dict[tuple[int, ...], float]:
    """Each label with the probability of all alignments that spell it."""
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(log_probs.shape[1]), repeat=len(log_probs)):
        chance = float(np.exp(sum(frame[code] for frame, code in zip(log_probs, path, strict=True))))
        found[spelled(path)] = found.get(spelled(path), 0.0) + chance
    return found


def frames(shape: tuple[int, int], seed: int, scale: float = 1.5) -> NDArray[np.float64]:
    logits = np.random.default_rng(seed).normal(0, scale, shape)
    return np.asarray(logits - np.log(np.exp(logits).sum(axis=1, keepdims=True)))


def cases() -> Iterator[NDArray[np.float64]]:
    return (frames(shape, seed) for shape in SHAPES for seed in range(4))


def test_the_probability_of_a_label_is_that_of_all_its_alignments() -> None:
    for log_probs in cases():
        labels = every_label(log_probs)
        assert sum(labels.values()) == pytest.approx(1.0)
        for label, chance in labels.items():
            assert log_probability(log_probs, label) == pytest.approx(np.log(chance), abs=1e-10)


def test_the_loss_is_minus_the_logarithm_of_that_probability() -> None:
    for log_probs in cases():
        labels = {label: chance for label, chance in every_label(log_probs).items() if label}
        rows = torch.from_numpy(log_probs).expand(len(labels), -1, -1)
        losses, fits = ctc_losses(rows, torch.full((len(labels),), len(log_probs)), list(labels))
        assert bool(fits.all())
        np.testing.assert_allclose(losses.numpy(), -np.log(list(labels.values())), atol=1e-10)


def test_the_gradient_of_the_loss_is_that_of_brute_force() -> None:
    logits = torch.from_numpy(frames((4, 3), 5)).requires_grad_()
    losses, _ = ctc_losses(logits.log_softmax(dim=1)[None], torch.tensor([4]), [[1, 1]])
    losses.sum().backward()
    logs = logits.log_softmax(dim=1)
    paths = [path for path in itertools.product(range(3), repeat=4) if spelled(path) == (1, 1)]
    brute = -torch.logsumexp(torch.stack([logs[range(4), path].sum() for path in paths]), dim=0)
    (expected,) = torch.autograd.grad(brute, logits)
    torch.testing.assert_close(logits.grad, expected, atol=1e-10, rtol=1e-10)


def test_padding_and_neighbours_change_no_loss_and_rows_that_do_not_fit_are_said() -> None:
    one, other = frames((5, 3), 1), frames((3, 3), 2)
    both = torch.zeros(3, 5, 3, dtype=torch.float64)
    both[0], both[1, :3], both[2, :3] = torch.from_numpy(one), torch.from_numpy(other), torch.from_numpy(other)
    both.requires_grad_()
    losses, fits = ctc_losses(both, torch.tensor([5, 3, 3]), [[1, 2, 1], [2], [1, 1, 2]])
    assert fits.tolist() == [True, True, False]  # 1, blank, 1, 2 needs four frames
    assert losses[0].item() == pytest.approx(-log_probability(one, (1, 2, 1)))
    assert losses[1].item() == pytest.approx(-log_probability(other, (2,)))
    assert losses[2].item() == 0.0
    losses.sum().backward()
    assert bool(torch.isfinite(both.grad).all())
    assert not bool(both.grad[2].any())


def test_a_batch_in_which_nothing_fits_has_a_loss_of_zero_with_a_gradient() -> None:
    rows = torch.zeros(2, 1, 3, dtype=torch.float64, requires_grad=True)
    losses, fits = ctc_losses(rows, torch.tensor([1, 1]), [[1, 2], []])
    assert (losses.tolist(), fits.tolist()) == ([0.0, 0.0], [False, False])
    losses.sum().backward()
    assert not bool(rows.grad.any())


def test_greedy_decoding_spells_the_likeliest_alignment() -> None:
    for log_probs in cases():
        path = tuple(int(code) for code in log_probs.argmax(axis=1))
        assert best_path(log_probs) == spelled(path)


def test_a_beam_that_holds_every_prefix_finds_the_likeliest_label() -> None:
    for log_probs in cases():
        labels = every_label(log_probs)
        found = beam_search(log_probs, 10_000)
        assert labels[found] == pytest.approx(max(labels.values()))


def test_a_beam_finds_labels_that_greedy_decoding_misses() -> None:
    # The likeliest path is blank, blank; but the alignments of 1 are three, and together likelier.
    log_probs = np.log([[0.6, 0.4], [0.6, 0.4]])
    assert decode(log_probs, 1).codes == ()
    found = decode(log_probs, 4)
    assert found.codes == (1,)
    assert np.exp(found.log_probability) == pytest.approx(0.64)


def test_a_beam_finds_likelier_labels_than_greedy_decoding() -> None:
    gains = [
        decode(log_probs, 64).log_probability - decode(log_probs, 1).log_probability
        for log_probs in (frames((12, 5), seed, 1.0) for seed in range(20))
    ]
    assert min(gains) >= -1e-12
    assert max(gains) > 0.5


def test_frames_that_are_surely_blank_change_nothing() -> None:
    log_probs = frames((5, 3), 3)
    padding = np.full((4, 3), -1e4)
    padding[:, 0] = 0.0
    for beam in (1, 6):
        alone, padded = decode(log_probs, beam), decode(np.concatenate([log_probs, padding]), beam)
        assert alone.codes == padded.codes
        assert padded.log_probability == pytest.approx(alone.log_probability, abs=1e-9)


def test_no_frames_are_an_empty_text_and_a_beam_of_nothing_is_refused() -> None:
    assert decode(np.zeros((0, 3)), 1).codes == decode(np.zeros((0, 3)), 5).codes == ()
    with pytest.raises(UsageError, match="keeps no prefix"):
        decode(np.zeros((2, 3)), 0)
