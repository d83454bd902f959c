from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.losses.imax import imax


def features(samples: int = 7, seed: int = 0) -> tuple[Tensor, Tensor]:
    draws = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(samples, 4, generator=draws, dtype=torch.float64) for _ in range(2))  # type: ignore[return-value]


def variance(numbers: list[float]) -> float:
    mean = sum(numbers) / len(numbers)
    return sum((x - mean) ** 2 for x in numbers) / len(numbers)


def test_it_is_the_formula_feature_by_feature() -> None:
    a, b = features()
    each = []
    for f in range(4):
        one, two = a[:, f].tolist(), b[:, f].tolist()
        signal = variance([x + y for x, y in zip(one, two, strict=True)]) + 1e-3
        noise = variance([x - y for x, y in zip(one, two, strict=True)]) + 1e-3
        each.append(0.5 * math.log(signal / noise))
    assert float(imax(a, b, 1e-3)) == pytest.approx(-sum(each) / 4, abs=1e-12)


def test_gradients() -> None:
    a, b = (x.requires_grad_() for x in features())
    assert torch.autograd.gradcheck(imax, (a, b))


def test_it_is_the_information_of_a_gaussian_signal_with_noise() -> None:
    """Between the mean of both views and the signal: half the logarithm of signal plus noise over noise."""
    draws = torch.Generator().manual_seed(1)
    signal, one, two = (torch.randn(200_000, 1, generator=draws, dtype=torch.float64) for _ in range(3))
    a, b = 3 * signal + one, 3 * signal + two
    mean_variance, noise_variance = 9 + 0.5, 0.5
    assert -float(imax(a, b)) == pytest.approx(0.5 * math.log(mean_variance / noise_variance), abs=0.01)
    torch.testing.assert_close(imax(a, b, 1e-12), imax(5 * a + 2, 5 * b - 1, 1e-12))  # scale and offset don't matter
    assert float(imax(a, one)) > float(imax(a, b))


@pytest.mark.parametrize("samples", [1, 2, 6])
def test_features_that_never_change_tell_nothing(samples: int) -> None:
    constant = torch.full((samples, 3), 2.0, requires_grad=True)
    value = imax(constant, constant)
    assert value.item() == 0
    value.backward()
    assert constant.grad is not None
    assert not constant.grad.any()


def test_autocast_changes_nothing() -> None:
    a, b = (x.float() for x in features())
    with torch.autocast("cpu", torch.bfloat16):
        value = imax(a, b)
    assert value.dtype == torch.float32
    assert torch.equal(value, imax(a, b))


def test_views_of_other_samples_and_no_noise_are_refused() -> None:
    a, b = features()
    for wrong in ((a[1:], b), (a[0], b[0])):
        with pytest.raises(UsageError, match="features"):
            imax(*wrong)
    with pytest.raises(UsageError, match="the noise is 0") as caught:
        imax(a, b, 0.0)
    assert "positive variance" in caught.value.hint
