"""The loss against brute force, against NT-Xent and SupCon written naively, by hand, and at its edges."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.nn.functional import cross_entropy

from ssl_domains.errors import UsageError
from ssl_domains.losses import contrastive_loss

TEMPERATURES = (0.05, 0.1, 0.5)


def two_views(labels: list[int] | Tensor) -> tuple[Tensor, Tensor]:
    """Samples and codes [M, 1] of a batch of two views, view-major."""
    y = torch.as_tensor(labels)
    samples = torch.arange(len(y)).repeat(2)
    return samples, y.repeat(2)[:, None]


def nt_xent(z: Tensor, tau: float) -> Tensor:
    """Chen et al. 2020, equation 1, over 2n rows, view-major."""
    n = len(z) // 2
    s = (z @ z.T / tau).masked_fill(torch.eye(2 * n, dtype=torch.bool), -torch.inf)
    return cross_entropy(s, torch.arange(2 * n).roll(n))


def supcon_out(z: Tensor, y: Tensor, tau: float | Tensor) -> Tensor:
    """Khosla et al. 2020, equation 2 (L_out), mean over anchors."""
    own = torch.eye(len(z), dtype=torch.bool)
    log_p = (z @ z.T / tau).masked_fill(own, -torch.inf).log_softmax(1)
    same = (y[:, None] == y[None, :]) & ~own
    return -(log_p.masked_fill(~same, 0).sum(1) / same.sum(1)).mean()


# by hand -----------------------------------------------------------------------------------------------------------


def test_two_orthogonal_samples_of_two_equal_views_by_hand(told: Any) -> None:
    """Each anchor sees its own view at s = 1 and two others at 0 (τ = 1): L = log(e + 2) − 1."""
    z = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    samples, codes = two_views([0, 1])
    out = contrastive_loss(z, told(samples, codes, [1.0]), 1.0)
    assert out.loss.item() == pytest.approx(math.log(math.e + 2) - 1, abs=1e-12)
    assert out.anchors.tolist() == [4]
    assert out.no_cross_positive.tolist() == [1.0]


def test_weighted_sum_with_an_unmatched_anchor_by_hand(told: Any) -> None:
    """One view each of a=(1,0), b=(1,0), c=(0,1), τ = 1; relation 0 joins a, b; relation 1 joins all three.

    lse: a and b see {1, 0}: log(e + 1); c sees {0, 0}: log 2.
    L_0 over a, b: log(e + 1) − 1.      L_1 over all: (2·(log(e + 1) − 1/2) + log 2) / 3.
    """
    z = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    codes = torch.tensor([[0, 0], [0, 0], [1, 0]])
    out = contrastive_loss(z, told(torch.arange(3), codes, [0.7, 0.3]), 1.0)
    first, second = math.log(math.e + 1) - 1, (2 * (math.log(math.e + 1) - 0.5) + math.log(2)) / 3
    torch.testing.assert_close(out.per_relation, torch.tensor([first, second], dtype=torch.float64))
    assert out.loss.item() == pytest.approx(0.7 * first + 0.3 * second, abs=1e-12)
    assert out.anchors.tolist() == [2, 3]
    torch.testing.assert_close(out.no_cross_positive, torch.tensor([1 / 3, 0.0], dtype=torch.float64))


# the classics ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", TEMPERATURES)
@pytest.mark.parametrize("n", [2, 5, 40])
def test_without_a_relation_it_is_nt_xent(n: int, tau: float, told: Any, unit: Any) -> None:
    z = unit(2 * n, 16).requires_grad_()
    samples, codes = two_views(torch.arange(n))
    loss = contrastive_loss(z, told(samples, codes, [1.0]), tau, tile=16).loss
    expected = nt_xent(z, tau)
    torch.testing.assert_close(loss, expected, atol=1e-10, rtol=0)
    mine, its = torch.autograd.grad(loss, z)[0], torch.autograd.grad(expected, z)[0]
    torch.testing.assert_close(mine, its, atol=1e-10, rtol=0)


@pytest.mark.parametrize("tau", TEMPERATURES)
@pytest.mark.parametrize("classes", [1, 3, 20])
def test_with_one_code_relation_it_is_supcon(classes: int, tau: float, told: Any, unit: Any) -> None:
    y = torch.randint(0, classes, (30,), generator=torch.Generator().manual_seed(classes))
    z = unit(60, 16).requires_grad_()
    samples, codes = two_views(y)
    loss = contrastive_loss(z, told(samples, codes, [1.0]), tau, tile=7).loss
    expected = supcon_out(z, y.repeat(2), tau)
    torch.testing.assert_close(loss, expected, atol=1e-10, rtol=0)
    mine, its = torch.autograd.grad(loss, z)[0], torch.autograd.grad(expected, z)[0]
    torch.testing.assert_close(mine, its, atol=1e-10, rtol=0)


# brute force -------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_square_batch_equals_the_reference(told: Any, agrees: Any, data: st.DataObject) -> None:
    m = data.draw(st.integers(1, 14), label="rows")
    samples = torch.tensor(data.draw(st.lists(st.integers(0, 6), min_size=m, max_size=m), label="samples"))
    n_codes = data.draw(st.integers(0, 3), label="code relations")
    n_predicates = data.draw(st.integers(0 if n_codes else 1, 2), label="predicates")
    seed = data.draw(st.integers(0, 10**6), label="seed")
    g = torch.Generator().manual_seed(seed)
    codes = torch.randint(0, data.draw(st.integers(1, m), label="groups"), (m, n_codes), generator=g)
    predicates = []
    for _ in range(n_predicates):
        w = torch.rand(m, m, generator=g, dtype=torch.float64) * (torch.rand(m, m, generator=g) < 0.3)
        predicates.append(w + w.T)
    ignore = torch.rand(m, m, generator=g) < 0.2 if data.draw(st.booleans(), label="ignore") else None
    ignore = None if ignore is None else ignore | ignore.T  # every rule is symmetric
    alphas = data.draw(st.lists(st.floats(0.1, 3), min_size=n_codes + n_predicates, max_size=n_codes + n_predicates))
    pairs = told(samples, codes, alphas, predicates=predicates, ignore=ignore)
    z = torch.nn.functional.normalize(torch.randn(m, 5, generator=g, dtype=torch.float64), dim=1)
    agrees(
        z, pairs, data.draw(st.sampled_from([*TEMPERATURES, 1.0])), tile=data.draw(st.sampled_from([None, 1, 3, 5, 64]))
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_rectangular_batch_equals_the_reference(told: Any, agrees: Any, data: st.DataObject) -> None:
    """Candidates of their own; some anchors are among them, some are not."""
    m, n = data.draw(st.integers(1, 10), label="anchors"), data.draw(st.integers(1, 16), label="candidates")
    g = torch.Generator().manual_seed(data.draw(st.integers(0, 10**6), label="seed"))
    self_index = torch.full((m,), -1)
    shared = data.draw(st.integers(0, min(m, n)), label="anchors among candidates")
    self_index[torch.randperm(m, generator=g)[:shared]] = torch.randperm(n, generator=g)[:shared]
    groups = data.draw(st.integers(1, 6), label="groups")
    codes, candidate_codes = (
        torch.randint(0, groups, (m, 1), generator=g),
        torch.randint(0, groups, (n, 1), generator=g),
    )
    samples, candidate_samples = torch.randint(0, 9, (m,), generator=g), torch.randint(0, 9, (n,), generator=g)
    known = self_index >= 0
    candidate_codes[self_index[known]] = codes[known]
    candidate_samples[self_index[known]] = samples[known]
    predicates = [(torch.rand(m, n, generator=g) < 0.3).double()] if data.draw(st.booleans(), label="predicate") else []
    ignore = torch.rand(m, n, generator=g) < 0.5 if data.draw(st.booleans(), label="ignore") else None
    pairs = told(
        samples,
        codes,
        [0.7, 0.3][: 1 + len(predicates)],
        candidate_sample=candidate_samples,
        candidate_codes=candidate_codes,
        self_index=self_index,
        predicates=predicates,
        ignore=ignore,
    )
    z = torch.nn.functional.normalize(torch.randn(m, 4, generator=g, dtype=torch.float64), dim=1)
    keys = torch.nn.functional.normalize(torch.randn(n, 4, generator=g, dtype=torch.float64), dim=1)
    out = agrees(z, pairs, 0.1, keys, tile=data.draw(st.sampled_from([None, 1, 4, 64])))
    other = samples[:, None] != candidate_samples[None, :]
    share = 1 - ((pairs.w > 0) & other).any(2).double().mean(1)
    torch.testing.assert_close(out.no_cross_positive, share)


@pytest.mark.parametrize("tau", TEMPERATURES)
@pytest.mark.parametrize("n", [256, 2048])
@pytest.mark.parametrize("objective", ["own views", "codes", "codes and predicate"])
def test_float32_gradients_are_near_the_float64_reference(
    n: int, tau: float, objective: str, told: Any, unit: Any
) -> None:
    z = unit(n, 128, seed=n, dtype=torch.float32)
    samples = torch.arange(n // 2).repeat(2)
    g = torch.Generator().manual_seed(1)
    group = torch.randint(0, n // 16, (n // 2,), generator=g).repeat(2)
    position = torch.rand(n // 2, generator=g).repeat(2)
    own = samples[:, None] == samples[None, :]
    near = (((position[:, None] - position[None, :]).abs() <= 0.01) | own).double()
    pairs = {
        "own views": lambda: told(samples, samples[:, None], [1.0]),
        "codes": lambda: told(samples, torch.stack([group, samples], 1), [0.7, 0.3]),
        "codes and predicate": lambda: told(samples, group[:, None], [0.7, 0.3], predicates=[near]),
    }[objective]()
    z.requires_grad_()
    (found,) = torch.autograd.grad(contrastive_loss(z, pairs, tau).loss, z)

    wide = z.detach().double().requires_grad_()
    s = wide @ wide.T / tau
    lse = s.masked_fill(~pairs.allowed, -torch.inf).logsumexp(1)
    per_relation = (lse - (pairs.w * s).sum(2) / pairs.w.sum(2)).mean(1)
    (expected,) = torch.autograd.grad((per_relation * torch.tensor(pairs.weights, dtype=torch.float64)).sum(), wide)

    error, size = (found.double() - expected).norm().item(), expected.norm().item()
    assert error <= (1e-8 if size < 1e-3 else 1e-5 * size)


# gradients ---------------------------------------------------------------------------------------------------------


def test_gradcheck_in_embeddings_candidates_and_temperature(told: Any, unit: Any) -> None:
    g = torch.Generator().manual_seed(3)
    pairs = told(
        torch.tensor([0, 1, 2, 3, 4]),
        torch.tensor([[0], [0], [1], [2], [1]]),
        [0.6, 0.4],
        candidate_sample=torch.tensor([0, 1, 5, 6, 7, 8]),
        candidate_codes=torch.tensor([[0], [0], [1], [1], [3], [0]]),
        self_index=torch.tensor([0, 1, -1, -1, -1]),
        predicates=[torch.rand(5, 6, generator=g, dtype=torch.float64)],
        ignore=torch.rand(5, 6, generator=g) < 0.3,
    )
    leaves = (
        unit(5, 3).requires_grad_(),
        unit(6, 3, seed=1).requires_grad_(),
        torch.tensor(0.3).double().requires_grad_(),
    )
    assert torch.autograd.gradcheck(lambda z, c, t: contrastive_loss(z, pairs, t, c, tile=2).loss, leaves)


def test_gradcheck_of_a_square_batch_counts_both_roles_of_a_row(told: Any, unit: Any) -> None:
    pairs = told(*two_views([0, 0, 1]), [1.0])
    leaves = (unit(6, 3).requires_grad_(), torch.tensor([0.3]).double().requires_grad_())
    assert torch.autograd.gradcheck(lambda z, t: contrastive_loss(z, pairs, t, tile=4).loss, leaves)


def test_only_what_asks_for_a_gradient_gets_one(told: Any, unit: Any) -> None:
    pairs = told(*two_views([0, 0, 1]), [1.0])
    z, tau = unit(6, 3), torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    contrastive_loss(z, pairs, tau).loss.backward()
    wanted = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    supcon_out(z, torch.tensor([0, 0, 1, 0, 0, 1]), wanted).backward()
    torch.testing.assert_close(tau.grad, wanted.grad)
    assert not contrastive_loss(z, pairs, 0.2).loss.requires_grad


# edges -------------------------------------------------------------------------------------------------------------


def test_anchors_without_positives_are_dropped_from_the_mean(told: Any, unit: Any, agrees: Any) -> None:
    pairs = told(torch.arange(5), torch.tensor([[0], [0], [1], [2], [3]]), [1.0])
    out = agrees(unit(5, 4), pairs, 0.1)
    assert out.anchors.tolist() == [2]
    assert out.no_cross_positive.item() == pytest.approx(0.6)


def test_a_lone_candidate_leaves_nothing_but_rounding(told: Any, unit: Any) -> None:
    """Its softmax is 1 and cancels its own pull, which a large weight would lay bare."""
    z, tau = unit(1, 4).repeat(2, 1).requires_grad_(), torch.tensor(0.05, dtype=torch.float64, requires_grad=True)
    contrastive_loss(z, told(*two_views([0]), [1000.0]), tau).loss.backward()
    assert tau.grad.abs() < 1e-9  # terms of 4·10⁵
    assert z.grad.abs().max() < 1e-10


def test_no_anchor_left_is_an_exact_zero_on_the_graph(told: Any, unit: Any) -> None:
    z = unit(4, 3).requires_grad_()
    out = contrastive_loss(z, told(torch.arange(4), torch.arange(4)[:, None], [1.0]), 0.1)
    assert out.loss.item() == 0.0
    out.loss.backward()
    assert torch.equal(z.grad, torch.zeros_like(z))
    assert out.anchors.tolist() == [0]


def test_one_empty_relation_leaves_the_other_alone(told: Any, unit: Any, agrees: Any) -> None:
    codes = torch.tensor([[0, 0], [1, 0], [2, 1], [3, 1]])
    out = agrees(unit(4, 3), told(torch.arange(4), codes, [0.7, 0.3]), 0.1)
    assert out.anchors.tolist() == [0, 4]
    assert out.per_relation[0].item() == 0


def test_everything_ignored_is_no_nan(told: Any, unit: Any, agrees: Any) -> None:
    everyone = torch.ones(4, 4, dtype=torch.bool)
    agrees(unit(4, 3), told(torch.arange(4), torch.arange(4)[:, None], [1.0], ignore=everyone), 0.05)
    # with positives, A(i) is the positives: the own view alone gives 0
    out = agrees(unit(4, 3), told(*two_views([0, 1]), [1.0], ignore=everyone), 0.05)
    assert out.loss.item() == pytest.approx(0, abs=1e-12)


def test_one_group_of_everything(told: Any, unit: Any, agrees: Any) -> None:
    agrees(unit(8, 4), told(torch.arange(8), torch.zeros(8, 1, dtype=torch.int64), [1.0]), 0.05, tile=3)


def test_duplicate_embeddings(told: Any, unit: Any, agrees: Any) -> None:
    z = unit(1, 4).repeat(6, 1)
    agrees(z, told(*two_views([0, 0, 1]), [1.0]), 0.05)


@pytest.mark.parametrize("codes", [[[0], [0]], [[0], [1]]])
def test_two_rows(codes: list[list[int]], told: Any, unit: Any, agrees: Any) -> None:
    agrees(unit(2, 3), told(torch.arange(2), torch.tensor(codes), [1.0]), 0.1)


def test_one_row_has_nobody_to_meet(told: Any, unit: Any) -> None:
    z = unit(1, 3).requires_grad_()
    out = contrastive_loss(z, told(torch.arange(1), torch.zeros(1, 1, dtype=torch.int64), [1.0]), 0.1)
    out.loss.backward()
    assert out.loss.item() == 0.0
    assert torch.isfinite(z.grad).all()


def test_no_candidates_at_all(told: Any, unit: Any) -> None:
    none = torch.zeros(0, dtype=torch.int64)
    pairs = told(
        torch.arange(3), torch.arange(3)[:, None], [1.0],
        candidate_sample=none, candidate_codes=none[:, None], self_index=torch.full((3,), -1),
    )  # fmt: skip
    z = unit(3, 4).requires_grad_()
    out = contrastive_loss(z, pairs, 0.1, unit(0, 4))
    out.loss.backward()
    assert out.loss.item() == 0.0
    assert torch.equal(z.grad, torch.zeros_like(z))


def test_no_anchors_at_all(told: Any, unit: Any) -> None:
    none = torch.zeros(0, dtype=torch.int64)
    z = unit(0, 4).requires_grad_()
    out = contrastive_loss(z, told(none, none[:, None], [1.0]), 0.1)
    out.loss.backward()
    assert out.loss.item() == 0.0
    assert torch.isfinite(out.no_cross_positive).all()


def test_a_large_logit_does_not_overflow(told: Any, unit: Any) -> None:
    z = unit(8, 4, dtype=torch.float32) * 30
    z.requires_grad_()
    out = contrastive_loss(z, told(*two_views([0, 0, 1, 2]), [1.0]), 0.01)
    out.loss.backward()
    assert torch.isfinite(out.loss)
    assert torch.isfinite(z.grad).all()


# precision ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given_dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_the_loss_is_at_least_float32_and_the_gradient_comes_back_as_the_input(
    given_dtype: torch.dtype, told: Any, unit: Any
) -> None:
    z = unit(8, 4).to(given_dtype).requires_grad_()
    out = contrastive_loss(z, told(*two_views([0, 0, 1, 2]), [1.0]), 0.1)
    out.loss.backward()
    assert out.loss.dtype == (torch.float64 if given_dtype == torch.float64 else torch.float32)
    assert z.grad.dtype == given_dtype


def test_autocast_changes_nothing(told: Any, unit: Any) -> None:
    pairs = told(*two_views([0, 0, 1, 2]), [1.0])
    plain, cast = unit(8, 4, dtype=torch.float32).requires_grad_(), unit(8, 4, dtype=torch.float32).requires_grad_()
    outside = contrastive_loss(plain, pairs, 0.1).loss
    outside.backward()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = contrastive_loss(cast, pairs, 0.1).loss
        inside.backward()
    assert torch.equal(outside, inside)
    assert torch.equal(plain.grad, cast.grad)


# errors ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tau", [0.0, -0.1, float("nan"), float("inf")])
def test_a_temperature_that_is_not_positive_is_refused_as_a_tensor_too(tau: float, told: Any, unit: Any) -> None:
    pairs = told(*two_views([0, 1]), [1.0])
    for given_tau in (torch.tensor(tau), torch.tensor([tau], dtype=torch.float64, requires_grad=True)):
        with pytest.raises(UsageError, match="temperature"):
            contrastive_loss(unit(4, 3), pairs, given_tau)


@pytest.mark.parametrize("tau", [0.0, -0.1, float("nan"), float("inf")])
def test_a_temperature_that_is_not_positive_is_refused(tau: float, told: Any, unit: Any) -> None:
    with pytest.raises(UsageError, match="temperature"):
        contrastive_loss(unit(4, 3), told(*two_views([0, 1]), [1.0]), tau)


def test_shapes_that_do_not_fit_the_pairs_are_refused(told: Any, unit: Any) -> None:
    pairs = told(*two_views([0, 1]), [1.0])
    with pytest.raises(UsageError, match="4 rows"):
        contrastive_loss(unit(5, 3), pairs, 0.1)
    with pytest.raises(UsageError, match="dimensions"):
        contrastive_loss(unit(4, 3), pairs, 0.1, unit(4, 2))


def test_pairs_with_candidates_of_their_own_need_them(told: Any, unit: Any) -> None:
    none = torch.zeros(2, dtype=torch.int64)
    pairs = told(none, none[:, None], [1.0], candidate_sample=none, candidate_codes=none[:, None], self_index=none - 1)
    with pytest.raises(UsageError, match="candidates"):
        contrastive_loss(unit(2, 3), pairs, 0.1)
