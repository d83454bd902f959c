"""The counter-based generator: reference vectors, independence of batch and device, numbers that look random."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ssl_domains.views import draws as module
from ssl_domains.views.draws import Draws, fold, normals

SLOTS = torch.arange(4)
GOLDEN_UNIFORM = [
    [0.07409178228536695, 0.4138644977564072],
    [0.31215725799390115, 0.9257608055825406],
    [0.10492719502863401, 0.700782730423256],
    [0.5051103728727957, 0.6838269161628667],
]
GOLDEN_KEYS = [-5943887171277294516, 2151277166667499758, 5508025458003849316, 170111835023708368]
GOLDEN_NORMAL = [1.030555, 0.754962, 0.090677, -0.723048, -0.353872, -0.500469, 0.337428, 0.866167]


def test_the_mixing_function_is_splitmix64() -> None:
    # The published first outputs of SplitMix64 for the seed 0.
    expected = [0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F]
    assert [module._mix((n + 1) * module._GOLDEN) for n in range(3)] == expected
    counters = torch.arange(1, 4) * module._signed(module._GOLDEN)
    assert module._mix_tensor(counters).tolist() == [module._signed(word) for word in expected]


@given(st.integers(-(2**63), 2**63 - 1))
@settings(max_examples=200, deadline=None)
def test_the_tensor_form_equals_pythons_integers(word: int) -> None:
    assert module._mix_tensor(torch.tensor([word])).item() == module._signed(module._mix(word))


def test_golden_values() -> None:
    """A run has to be reproducible by later versions: these numbers never change."""
    draws = Draws(seed=7, step=3, slots=SLOTS, view=1, operation="crop")
    uniform = draws.uniform(2)
    assert uniform.dtype == torch.float64
    assert uniform.tolist() == GOLDEN_UNIFORM
    assert draws.keys().tolist() == GOLDEN_KEYS
    assert draws.normal_like(torch.zeros(4, 1, 1, 2)).flatten().tolist() == pytest.approx(GOLDEN_NORMAL, abs=1e-6)


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=20), st.integers(0, 19))
@settings(max_examples=50, deadline=None)
def test_a_slot_has_the_same_numbers_in_any_slice(slots: list[int], cut: int) -> None:
    whole = torch.tensor(slots)
    everything = Draws(1, 2, whole, 0, "noise")
    parts = [Draws(1, 2, part, 0, "noise") for part in (whole[:cut], whole[cut:])]
    assert torch.equal(everything.uniform(3), torch.cat([part.uniform(3) for part in parts]))
    noise = torch.zeros(len(whole), 2, 3, 3)
    expected = torch.cat([part.normal_like(noise[: len(part)]) for part in parts])
    assert torch.equal(everything.normal_like(noise), expected)


def test_every_part_of_the_key_matters() -> None:
    base = {"seed": 1, "step": 2, "view": 0, "operation": "crop"}
    first = Draws(**base, slots=SLOTS).uniform(4)  # type: ignore[arg-type]
    for change in ({"seed": 2}, {"step": 3}, {"view": 1}, {"operation": "blur"}, {"seed": 2, "step": 1}):
        other = Draws(**{**base, **change}, slots=SLOTS).uniform(4)  # type: ignore[arg-type]
        assert not (first == other).any()
    assert len(torch.unique(first)) == first.numel()


def test_seeds_and_steps_of_any_size_are_taken() -> None:
    for seed in (0, -1, 2**63 - 1, 2**64 - 1):
        draws = Draws(seed, 2**40, torch.tensor([2**40]), 0, "crop")
        assert 0 <= draws.uniform().item() < 1


def test_consecutive_calls_go_on_and_do_not_repeat() -> None:
    draws = Draws(0, 0, SLOTS, 0, "crop")
    assert torch.equal(torch.cat([draws.uniform(2), draws.uniform(3)], 1), Draws(0, 0, SLOTS, 0, "crop").uniform(5))


def test_uniform_numbers_are_uniform() -> None:
    numbers = Draws(0, 0, torch.arange(20_000), 0, "crop").uniform(5)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    flat = numbers.flatten().numpy()
    assert stats.kstest(flat, "uniform").pvalue > 1e-3
    for power in range(1, 5):
        assert np.mean(flat**power) == pytest.approx(1 / (power + 1), abs=5 / np.sqrt(len(flat)))
    # Low bits too: the last of 53 is set half of the time.
    assert np.mean((flat * 2**53) % 2) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("neighbour", ["slot", "step", "view", "seed", "counter"])
def test_neighbouring_keys_are_uncorrelated(neighbour: str) -> None:
    n = 100_000
    slots = torch.arange(n)
    first = Draws(5, 6, slots, 0, "crop").uniform(2)
    second = {
        "slot": lambda: Draws(5, 6, slots + 1, 0, "crop").uniform(2),
        "step": lambda: Draws(5, 7, slots, 0, "crop").uniform(2),
        "view": lambda: Draws(5, 6, slots, 1, "crop").uniform(2),
        "seed": lambda: Draws(6, 6, slots, 0, "crop").uniform(2),
        "counter": lambda: first.roll(1, dims=1),
    }[neighbour]()
    a, b = first[:, 0].numpy(), second[:, 0].numpy()
    for x, y in ((a, b), (a**2, b), (a, b**2)):
        assert abs(np.corrcoef(x, y)[0, 1]) < 5 / np.sqrt(n)
    counts = np.histogram2d(a, b, bins=16, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(counts.ravel()).pvalue > 1e-4


def test_runs_over_steps_are_uniform_for_one_slot() -> None:
    """What one sample sees over training, not only what a batch sees at one step."""
    numbers = [Draws(3, step, torch.tensor([11]), 0, "crop").uniform().item() for step in range(5_000)]
    assert stats.kstest(numbers, "uniform").pvalue > 1e-3
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < 5 / np.sqrt(len(numbers))


def test_normal_numbers_are_normal_and_independent() -> None:
    noise = Draws(0, 0, torch.arange(64), 0, "noise").normal_like(torch.zeros(64, 3, 32, 32))
    assert noise.dtype == torch.float32
    flat = noise.flatten().numpy()
    assert stats.kstest(flat, "norm").pvalue > 1e-3
    assert flat.std() == pytest.approx(1, abs=0.01)
    assert stats.kurtosis(flat) == pytest.approx(0, abs=0.05)
    for along in (
        flat[1:] * flat[:-1],
        (noise[1:] * noise[:-1]).flatten().numpy(),
        (noise[:, 1:] * noise[:, :-1]).numpy(),
    ):
        assert abs(along.mean()) < 5 / np.sqrt(along.size)


def test_normals_of_a_count_that_four_does_not_divide() -> None:
    keys = torch.tensor([5, 6])
    assert torch.equal(normals(keys, (7,)), normals(keys, (8,))[:, :7])
    assert normals(keys[:0], (3, 2, 2)).shape == (0, 3, 2, 2)


def test_fold_depends_on_the_order() -> None:
    assert fold(1, 2) != fold(2, 1)
    assert fold(0) != fold(0, 0)


@pytest.mark.gpu
def test_the_same_bits_on_the_gpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    cpu, gpu = (Draws(1, 2, torch.arange(512, device=device), 0, "noise") for device in ("cpu", "cuda"))
    assert torch.equal(cpu.uniform(7), gpu.uniform(7).cpu())
    images = torch.zeros(512, 3, 32, 32)
    assert torch.equal(cpu.normal_like(images), gpu.normal_like(images.cuda()).cpu())
