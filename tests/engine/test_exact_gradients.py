"""The gradient of two processes, and of few samples at a time, is the gradient of one process with the whole batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ssl_domains.encoders import Features
from ssl_domains.engine.processes.distributed import World, processes
from ssl_domains.engine.step.feed import Batch
from ssl_domains.engine.step.gradient_caching import batch_norms, refuse_micro_batch_norm
from ssl_domains.engine.step.schedule import Schedule
from ssl_domains.engine.step.step import TrainingStep, _BatchViews
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, Views
from ssl_domains.losses import LossOutput
from ssl_domains.methods import Embeddings, RowPairs, SimCLR
from ssl_domains.pairs import Objective, parse
from ssl_domains.views import Noise, ViewRecipe

BATCH = 8
SAMPLES = [3, 0, 9, 1, 5, 12, 7, 14]  # of the global batch; with two processes the first four and the last four
PARTNERS = [0, 3, 10, 2, 6, 12, 5, 13]
# Columns of 16 rows. Of the samples above, `few` gives the first process four anchors with a positive, the other none;
# `some` gives them four and two, with positives on either side.
TABLE: dict[str, list[Any]] = {
    "few": [0, 0, 5, 0, None, 21, 22, 23, 5, 0, 5, 5, 24, 25, None, 26],
    "some": [0, 1, 2, 0, 3, 1, 3, 30, 4, 1, 4, 4, 0, 5, 31, 5],
    "none": list(range(16)),
    "x": [0.5 * i if i % 5 else None for i in range(16)],
    "site": [i % 3 for i in range(16)],
}


class _Encoder(nn.Module):
    """Float64, no BatchNorm."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        first, last = nn.Linear(48, 24), nn.Linear(24, 16)
        self.layers = nn.Sequential(first, nn.LayerNorm(24), nn.GELU(), nn.Dropout(dropout), last)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Features:
        pooled = self.layers(x.double().flatten(1))
        return Features(pooled, pooled[:, :, None, None])


class _Tilt:
    """A view step that tells how far it went, and does nothing to the picture."""

    name, reason, columns = "tilt", "a number that only the view knows", ()

    def parameters(self, draws: Any, size: int) -> dict[str, Tensor]:
        return {"tilt": draws.between(0.0, 10.0)}

    def emits(self, parameters: Any, columns: Any) -> dict[str, Tensor]:
        return {"tilt": parameters["tilt"]}

    def device(self, images: Tensor, mask: Any, parameters: Any, columns: Any) -> Any:
        return images, mask

    def cpu(self, image: Any, parameters: Any, columns: Any) -> Any:
        return image

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "reason": self.reason}


def _method(dropout: float = 0.0, kind: type[SimCLR] = SimCLR) -> SimCLR:
    torch.manual_seed(3)
    head = nn.Sequential(nn.Linear(16, 12), nn.GELU(), nn.Linear(12, 6))
    return kind(_Encoder(dropout), head, 0.2, learnable_temperature=True).double()  # type: ignore[arg-type]


def _batch(world: World, partners: bool) -> Batch:
    share = BATCH // world.size
    planned = torch.tensor([SAMPLES, PARTNERS] if partners else [SAMPLES])
    index = planned[:, world.rank * share : (world.rank + 1) * share].flatten()
    canvases = torch.rand(16, 3, 4, 4, generator=torch.Generator().manual_seed(1))
    return Batch(Input(canvases[index]), index, {}, 0.0, planned)


def gradients(
    rule: str,
    views: int = 2,
    micro: int | None = None,
    partners: bool = False,
    dropout: float = 0.0,
    kind: str = "SimCLR",
) -> dict[str, Any]:
    """Gradients of one engine step in this process, the share of the loss, and what counted here."""
    with processes() as world:
        step = _step(_method(dropout, KINDS[kind]), rule, views, micro, world)
        counted: list[Tensor] = []
        total, world.total = world.total, lambda values: total(counted.append(values) or values)  # type: ignore[func-returns-value,method-assign]
        try:
            torch.manual_seed(5)
            result = step(_batch(world, partners), 2)
        finally:
            world.total = total  # type: ignore[method-assign]
        return {
            "gradients": {name: p.grad for name, p in step.method.named_parameters()},
            "loss": result.loss.loss.detach(),
            "per_relation": result.loss.per_relation,
            "anchors": result.loss.anchors,
            "counted": counted[0] if counted else result.loss.anchors,
            "whole": result.out.whole().detach(),
        }


def _step(method: SimCLR, rule: str, views: int, micro: int | None, world: World) -> TrainingStep:
    objective = parse(rule)
    if not isinstance(objective, Objective):
        objective = 1 * objective
    recipe = ViewRecipe((_Tilt(), Noise(reason="so that views differ")), 4, views)
    return TrainingStep(
        method=method,
        optimiser=torch.optim.SGD(method.parameters(), lr=0.1),
        schedule=Schedule.of(10, 10, 0),
        lr=0.1,
        recipe=recipe,
        pairs=objective.bind(TABLE, emitted=recipe.emitted),
        seed=4,
        precision="float32",
        micro_batch_size=micro,
        world=world,
        model=world.parallel(method),
    )


def _distance(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Norm of the difference by the norm, over all parameters."""
    assert found.keys() == expected.keys()
    difference = torch.cat([(found[name] - expected[name]).flatten() for name in expected])
    return float(difference.norm() / torch.cat([value.flatten() for value in expected.values()]).norm())


RULES = [
    pytest.param("same('few')", 1, [[4], [0]], id="one-process-without-anchors"),
    pytest.param("same('some')", 1, [[4], [2]], id="positives-across-processes"),
    pytest.param("none", 2, [[8], [8]], id="nt-xent"),
    pytest.param("within('x', 1)", 1, None, id="predicate"),
    pytest.param("~same('site') & within('x', 2)", 1, None, id="not"),
    pytest.param("(same('few')).ignore(same('site'))", 1, [[4], [0]], id="ignore"),
    pytest.param("0.7*same('few') + 0.3*same('some')", 1, None, id="two-by-codes"),
    pytest.param("(0.5*same('few') + 0.2*within('x', 1) + 0.3*same('some')).ignore(same('site'))", 2, None, id="all"),
    pytest.param("(0.5*same('few') + 0.5*within('x', 1)).ignore(same('site'))", 1, None, id="all-of-one-view"),
    pytest.param("same(bins('tilt', 2, range=(0, 10))) & same('some')", 2, None, id="emitted"),
    pytest.param("within('tilt', 2.5)", 1, None, id="emitted-predicate"),
]


@pytest.mark.parametrize("micro", [None, 1, 3])
@pytest.mark.parametrize(("rule", "views", "anchors"), RULES)
def test_two_processes_have_the_gradient_of_one(
    rule: str, views: int, anchors: list[list[int]] | None, micro: int | None, two_processes: Callable[..., list[Any]]
) -> None:
    one = gradients(rule, views)
    both = two_processes(gradients, rule=rule, views=views, micro=micro)
    if anchors is not None:
        assert [each["counted"].tolist() for each in both] == anchors
    assert float(one["gradients"]["log_scale"].abs()) > 1e-6
    for each in both:
        assert each["anchors"].tolist() == one["anchors"].tolist()
        assert _distance(each["gradients"], one["gradients"]) <= 1e-10
        scale = {"log_scale": each["gradients"]["log_scale"]}
        assert _distance(scale, {"log_scale": one["gradients"]["log_scale"]}) <= 1e-10
        torch.testing.assert_close(each["whole"], one["whole"], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(sum(each["loss"] for each in both), one["loss"], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(sum(each["per_relation"] for each in both), one["per_relation"])


@pytest.mark.parametrize("micro", [None, 3])
def test_a_mean_over_one_process_would_be_another_gradient(
    micro: int | None, two_processes: Callable[..., list[Any]]
) -> None:
    # What the tests above would see of the usual mistake.
    one = gradients("same('few') + 2*same('some')", 1)
    wrong = two_processes(local_mean, micro=micro)
    assert _distance(wrong[0]["gradients"], one["gradients"]) > 0.1


def local_mean(micro: int | None) -> dict[str, Any]:
    """`gradients` where each process divides by its own anchors."""
    with processes() as world:
        world.total = lambda values: values.clamp(min=1)  # type: ignore[method-assign]
        return gradients("same('few') + 2*same('some')", 1, micro)


def test_no_anchor_anywhere_is_an_exact_zero(two_processes: Callable[..., list[Any]]) -> None:
    for each in two_processes(gradients, rule="same('none')", views=1):
        assert each["loss"] == 0
        assert all(not gradient.any() for gradient in each["gradients"].values())


@pytest.mark.parametrize("micro", [None, 1, 3])
@pytest.mark.parametrize("views", [2, 4])
def test_partners_are_the_odd_views_in_any_number_of_processes(
    views: int, micro: int | None, two_processes: Callable[..., list[Any]]
) -> None:
    one = gradients("same('few')", views, partners=True)
    alone = gradients("same('few')", views, micro, partners=True)
    assert _distance(alone["gradients"], one["gradients"]) <= 1e-10
    assert _distance(one["gradients"], gradients("same('few')", views)["gradients"]) > 1e-3
    for each in two_processes(gradients, rule="same('few')", views=views, micro=micro, partners=True):
        assert _distance(each["gradients"], one["gradients"]) <= 1e-10


@pytest.mark.parametrize("micro", [1, 3, 5, 7])
@pytest.mark.parametrize(("rule", "views"), [(rule.values[0], rule.values[1]) for rule in RULES])
def test_few_samples_at_a_time_have_the_gradient_of_all(rule: str, views: int, micro: int) -> None:
    one, cached = gradients(rule, views), gradients(rule, views, micro)
    assert _distance(cached["gradients"], one["gradients"]) <= 1e-10
    torch.testing.assert_close(cached["loss"], one["loss"], rtol=1e-12, atol=1e-12)


def test_both_passes_drop_the_same() -> None:
    step = _step(_method(dropout=0.5), "same('some')", 2, 3, World())
    batch = _batch(World(), partners=False)
    torch.manual_seed(5)
    step(batch, 2)
    cached = {name: p.grad for name, p in step.method.named_parameters()}
    after = torch.get_rng_state()

    plain = _step(_method(dropout=0.5), "same('some')", 2, None, World())
    torch.manual_seed(5)
    parts = [slice(0, 3), slice(3, 6), slice(6, 8)]
    views = _BatchViews(batch, 2, plain.recipe, plain.seed, World(), plain.method.needs)
    outs = [plain.method(views(part)) for part in parts]
    z = torch.cat([out.z.unflatten(0, (2, -1)) for out in outs], dim=1).flatten(0, 1)
    out, _, pairs = plain._rows(batch, views, Embeddings(z, outs[0].pooled, shared=outs[-1].shared))
    plain.method.loss(out, pairs).loss.backward()
    assert _distance(cached, {name: p.grad for name, p in plain.method.named_parameters()}) <= 1e-10
    assert torch.equal(torch.get_rng_state(), after)


class _Counted(SimCLR):
    """Keeps a running statistic, as BatchNorm does."""

    def embed(self, views: Views) -> Embeddings:
        self.seen += len(views.together)
        return super().embed(views)


def test_running_statistics_move_once_a_step() -> None:
    method = _method(kind=_Counted)
    method.register_buffer("seen", torch.tensor(0))
    _step(method, "same('some')", 2, 3, World())(_batch(World(), partners=False), 0)
    assert method.seen == 2 * BATCH


def test_batch_norm_is_refused_by_name() -> None:
    norms = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.BatchNorm1d(2)))
    assert batch_norms(norms) == ["1.0"]
    with pytest.raises(UsageError, match=r"BatchNorm \(1\.0\) would see 4 samples") as caught:
        refuse_micro_batch_norm(norms, 4)
    assert "train.micro_batch_norm" in caught.value.hint
    refuse_micro_batch_norm(_method(), 4)


def _each(out: Embeddings) -> Tensor:
    """A loss of each row alone, ``[M]``."""
    direction = torch.linspace(-1, 1, out.z.shape[1], dtype=out.z.dtype)
    return (out.z @ direction).square() / out.shared["temperature"]


def _statistic(z: Tensor, temperature: Tensor) -> Tensor:
    """A loss of all rows together: the squared covariances of different dimensions."""
    centred = z - z.mean(dim=0)
    covariance = centred.T @ centred / len(z)
    return covariance.fill_diagonal_(0).square().sum() / temperature


class _OwnMean(SimCLR):
    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        # As one may write it who has never heard of several processes.
        return LossOutput.plain(_each(out).mean())


class _Mean(SimCLR):
    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        each = _each(out)
        return LossOutput.plain(each.sum() / out.total(torch.tensor(len(each))))


class _OwnStatistic(SimCLR):
    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        return LossOutput.plain(_statistic(out.z, out.shared["temperature"]))


class _Statistic(SimCLR):
    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        return LossOutput.plain(out.of_all(_statistic(out.whole(), out.shared["temperature"])))


KINDS: dict[str, type[SimCLR]] = {
    "SimCLR": SimCLR,
    "own mean": _OwnMean,
    "mean": _Mean,
    "own statistic": _OwnStatistic,
    "statistic": _Statistic,
}


@pytest.mark.parametrize("micro", [None, 3])
def test_a_loss_that_only_knows_its_own_process_has_another_gradient(
    micro: int | None, two_processes: Callable[..., list[Any]]
) -> None:
    one = gradients("none", kind="own mean")
    for each in two_processes(gradients, rule="none", micro=micro, kind="own mean"):
        # Two means of four slots add up to twice the mean of eight.
        assert _distance(each["gradients"], one["gradients"]) == pytest.approx(1, abs=1e-8)
    one = gradients("none", kind="own statistic")
    for each in two_processes(gradients, rule="none", micro=micro, kind="own statistic"):
        assert _distance(each["gradients"], one["gradients"]) > 0.1


@pytest.mark.parametrize("micro", [None, 1, 3])
@pytest.mark.parametrize(("kind", "own"), [("mean", "own mean"), ("statistic", "own statistic")])
def test_a_loss_without_pairs_has_the_gradient_of_one_process(
    kind: str, own: str, micro: int | None, two_processes: Callable[..., list[Any]]
) -> None:
    one = gradients("none", kind=own)  # what one would write for one process
    assert one["loss"].abs() > 1e-3
    assert _distance(gradients("none", kind=kind)["gradients"], one["gradients"]) <= 1e-10
    assert _distance(gradients("none", micro=micro, kind=kind)["gradients"], one["gradients"]) <= 1e-10
    both = two_processes(gradients, rule="none", micro=micro, kind=kind)
    for each in both:
        assert _distance(each["gradients"], one["gradients"]) <= 1e-10
    torch.testing.assert_close(sum(each["loss"] for each in both), one["loss"], rtol=1e-12, atol=1e-12)
