"""The dense probe on small volumes of discs: classes are what a pixel's colour says, through a noisy map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.probes import label_draws
from ssl_domains.probes.dense import DenseFit, dense_confusions, dense_loss, run_dense_probe
from ssl_domains.probes.dense_data import DenseFeatures, DenseTargets, NativeMasks
from ssl_domains.probes.dense_heads import ConvHead, DeepLabHead
from ssl_domains.probes.dense_loss import dense_loss_of_sums, dense_sums
from ssl_domains.probes.overlap import dice
from ssl_domains.views import Canvas, place_mask

SIZE = 16
FAST = DenseFit(steps=60, batch=8)


@dataclass
class World:
    features: DenseFeatures
    targets: DenseTargets
    groups: NDArray[np.int64]
    train: NDArray[np.bool_]
    test: NDArray[np.bool_]

    def probe(self, **options: Any) -> Any:
        options = {"fit": FAST, **options}
        return run_dense_probe(self.features, self.targets, self.groups, self.train, self.test, **options)


@pytest.fixture(scope="module")
def world() -> World:
    """Nine volumes of five slices, each volume in a shape of its own; two classes."""
    rng = np.random.default_rng(0)
    canvas, masks, groups = Canvas(SIZE, "fit"), [], []
    for group in range(9):
        height, width = rng.integers(14, 24, 2)
        for _ in range(5):
            y, x = np.mgrid[:height, :width]
            mask = np.zeros((height, width), np.uint8)
            for code in (1, 2):
                cy, cx = rng.integers(3, height - 3), rng.integers(3, width - 3)
                mask[np.hypot(y - cy, x - cx) < 3.5] = code
            masks.append(mask)
            groups.append(group)
    placed = np.stack([place_mask(canvas, mask) for mask in masks])
    index = np.full(256, 255, np.uint8)
    index[:3] = [0, 1, 2]
    targets = DenseTargets(placed, NativeMasks(masks, np.arange(len(masks)), index), canvas, ("one", "two"))
    onehot = F.one_hot(torch.from_numpy(placed.astype(np.int64)).clamp(max=2), 3).movedim(-1, 1).float()
    fine = onehot + 0.4 * torch.randn(onehot.shape, generator=torch.Generator().manual_seed(1))
    coarse = 50 + 9 * F.avg_pool2d(onehot, 4)
    features = DenseFeatures((fine.numpy().astype(np.float16), coarse.numpy()))
    groups_ = np.array(groups)
    return World(features, targets, groups_, groups_ < 6, groups_ >= 6)


@pytest.mark.parametrize("head", [ConvHead(), DeepLabHead(hidden=8)])
def test_it_learns_and_scores_whole_groups(world: World, head: Any) -> None:
    result = world.probe(head=head, fit=DenseFit(steps=120, batch=8))
    assert result.dice.shape == (3, 2)
    assert result.groups.tolist() == [6, 7, 8]
    assert result.mean_dice is not None
    assert result.mean_dice > 0.8
    pixels = sum(world.targets.native[int(row)].size for row in np.flatnonzero(world.test))
    assert result.counts.sum() == pixels  # every pixel of every slice, in its native shape
    assert (result.labels, result.trained_groups, result.tested) == (30, 6, 15)


def test_maps_without_the_classes_score_low(world: World) -> None:
    noise = np.random.default_rng(2).normal(size=(45, 4, 8, 8)).astype(np.float32)
    result = replace(world, features=DenseFeatures((noise,))).probe()
    assert result.mean_dice is None or result.mean_dice < 0.3


def test_the_same_seed_gives_the_same_numbers(world: World) -> None:
    torch.manual_seed(5)
    first = world.probe(seed=3)
    torch.manual_seed(6)
    again = world.probe(seed=3)
    np.testing.assert_array_equal(first.counts, again.counts)
    assert first.chosen == again.chosen
    assert not np.array_equal(first.counts, world.probe(seed=4).counts)


def test_what_is_not_in_training_has_no_say(world: World) -> None:
    """Other maps and masks in the test groups change their score, but not what was chosen and fitted."""
    small = replace(world, test=world.groups == 8)
    changed = tuple(level.copy() for level in world.features.levels)
    for level in changed:
        level[(world.groups == 6) | (world.groups == 7)] *= 100
    other = replace(small, features=DenseFeatures(changed))
    np.testing.assert_array_equal(small.probe().counts, other.probe().counts)


def test_groups_on_both_sides_are_refused(world: World) -> None:
    with pytest.raises(DataError, match="1 group is on both sides"):
        replace(world, test=world.groups >= 5).probe()
    with pytest.raises(DataError, match="no test picture"):
        replace(world, test=world.groups > 100).probe()


def test_background_alone_can_not_be_learned(world: World) -> None:
    empty = replace(world.targets, placed=np.where(world.targets.placed == 255, 255, 0).astype(np.uint8))
    with pytest.raises(DataError, match="anything but background"):
        replace(world, targets=empty).probe()


def test_one_group_is_enough_but_says_that_nothing_was_chosen(world: World) -> None:
    result = replace(world, train=world.groups == 0).probe()
    assert result.chosen == {"lr": 0.1}
    why = "so few groups are labelled that none can be held out to compare rates"
    assert f"the head used its middle learning rate, lr=0.1: {why}" in result.remarks()


def test_an_absent_class_is_undefined_and_said(world: World) -> None:
    def perfect(rows: NDArray[np.int64]) -> torch.Tensor:
        placed = torch.from_numpy(world.targets.placed[rows].astype(np.int64)).clamp(max=2)
        placed[placed == 2] = 0
        return F.one_hot(placed, 3).movedim(-1, 1).float()

    without = [np.where(world.targets.native[row] == 2, 0, world.targets.native[row]) for row in range(45)]
    targets = replace(world.targets, native=NativeMasks(without, np.arange(45), np.arange(256).astype(np.uint8)))
    _, counts = dense_confusions(perfect, targets, world.groups, np.arange(45))
    assert (dice(counts)[:, 0] > 0.8).all()
    assert np.isnan(dice(counts)[:, 1]).all()
    result = replace(world.probe(), counts=counts, groups=np.arange(9))
    assert result.per_class["two"] is None
    assert result.mean_dice is None
    assert any("'two' is undefined in 9 of 9" in remark for remark in result.remarks())


def test_the_head_is_a_1x1_convolution_of_the_upsampled_maps_put_together() -> None:
    torch.manual_seed(0)
    maps = [torch.randn(2, 3, 16, 16), torch.randn(2, 5, 8, 8), torch.randn(2, 7, 4, 4)]
    head = ConvHead().build([3, 5, 7], 4, 16)
    for parameter in head.parameters():
        torch.nn.init.normal_(parameter)
    column = torch.cat([F.interpolate(one, size=(16, 16), mode="bilinear", align_corners=False) for one in maps], dim=1)
    weight = torch.cat([level.weight for level in head.levels], dim=1)  # type: ignore[union-attr]
    torch.testing.assert_close(head(maps), F.conv2d(column, weight, head.bias), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("weight", [0.0, 0.7])
def test_the_loss_by_brute_force(weight: float) -> None:
    rng = np.random.default_rng(3)
    logits = rng.normal(size=(2, 4, 3, 3))
    target = rng.choice([0, 1, 3, 255], size=(2, 3, 3))
    total, counted = 0.0, 0
    both, every = np.zeros(4), np.zeros(4)
    for b in range(2):
        for y in range(3):
            for x in range(3):
                if target[b, y, x] == 255:
                    continue
                p = np.exp(logits[b, :, y, x]) / np.exp(logits[b, :, y, x]).sum()
                total -= np.log(p[target[b, y, x]])
                counted += 1
                for k in range(4):
                    here = float(target[b, y, x] == k)
                    both[k] += p[k] * here
                    every[k] += p[k] + here
    soft = np.mean([1 - 2 * both[k] / every[k] for k in (1, 3)])  # class 2 isn't shown
    found = dense_loss(torch.from_numpy(logits), torch.from_numpy(target), weight)
    assert found.item() == pytest.approx(total / counted + weight * soft)


def test_without_a_background_the_first_class_has_its_share_of_soft_dice() -> None:
    rng = np.random.default_rng(4)
    logits, target = torch.from_numpy(rng.normal(size=(2, 3, 4, 4))), torch.from_numpy(rng.integers(0, 3, (2, 4, 4)))
    target[0, 0] = 255
    counted, chance = target != 255, logits.softmax(dim=1)
    each = []
    for k in range(3):
        here = (target == k).double()
        each.append(1 - 2 * (chance[:, k] * here).sum() / ((chance[:, k] * counted) + here).sum())
    entropy = F.cross_entropy(logits, target, ignore_index=255)
    for background, soft in ((False, sum(each) / 3), (True, (each[1] + each[2]) / 2)):
        found = dense_loss(logits, target, 0.5, background)
        torch.testing.assert_close(found, entropy + 0.5 * soft)
        sums = dense_sums(logits, target, background)
        torch.testing.assert_close(dense_loss_of_sums(sums, 0.5), found)


def test_a_named_class_0_is_learned_and_scored_like_the_others(world: World) -> None:
    """The same pictures, with the background as a class: its Dice is there, that of the others nearly the same."""
    named = replace(world.targets, classes=("ground", "one", "two"), numbers=(0, 1, 2))
    assert (named.background, named.channels, world.targets.background, world.targets.channels) == (False, 3, True, 3)
    plain, result = world.probe(), replace(world, targets=named).probe()
    assert list(result.per_class) == ["ground", "one", "two"]
    assert result.dice.shape == (3, 3)
    counts = result.counts[0]
    assert result.dice[0, 0] == pytest.approx(2 * counts[0, 0] / (counts[0].sum() + counts[:, 0].sum()))
    np.testing.assert_allclose(result.dice[:, 1:], plain.dice, atol=0.1)
    assert named.labels().y[:, 0].all()  # every picture shows the ground
    assert result.mean_dice == pytest.approx(np.mean(list(result.per_class.values())))


def test_groups_are_drawn_by_the_classes_they_show(world: World) -> None:
    labels = world.targets.labels()
    assert labels.task == "multilabel"
    for row in range(45):
        assert labels.y[row].tolist() == [float((world.targets.placed[row] == code).any()) for code in (1, 2)]
    (draw,) = label_draws(labels, world.groups, world.train, [0.5], seed=1)
    assert draw.groups == 3
    result = replace(world, train=draw.rows).probe()
    assert result.trained_groups == 3
