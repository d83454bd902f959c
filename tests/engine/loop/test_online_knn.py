"""Online k-NN: compared with plain loops; neighbours are of other groups, and features that know nothing reach 1/C."""

from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.engine.loop.online_knn import knn_balanced_accuracy, online_labels
from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable


def by_loops(
    features: Tensor, classes: list[int], groups: list[int], bank: Tensor, kinds: list[int], owners: list[int], k: int
) -> tuple[float, int]:
    """The definition, row by row."""
    similar = (F.normalize(features.double(), dim=1) @ F.normalize(bank.double(), dim=1).T).tolist()
    sizes: dict[int, dict[int, int]] = {}
    for kind, owner in zip(kinds, owners, strict=True):
        if kind >= 0:
            sizes.setdefault(kind, {}).setdefault(owner, 0)
            sizes[kind][owner] += 1
    left = {kind: sum(own.values()) - max(own.values()) for kind, own in sizes.items() if len(own) > 1}
    hits: dict[int, list[bool]] = {}
    for i, (kind, group) in enumerate(zip(classes, groups, strict=True)):
        if kind not in left:
            continue
        candidates = []
        for other, count in left.items():
            rows = [j for j in range(len(kinds)) if kinds[j] == other and owners[j] != group]
            candidates += rows[-count:]
        nearest = sorted(candidates, key=lambda j: -similar[i][j])[:k]
        votes = dict.fromkeys(left, (0, 0.0))
        for rank, j in enumerate(nearest):
            count, nearness = votes[kinds[j]]
            votes[kinds[j]] = count + 1, nearness + 2.0**-rank
        hits.setdefault(kind, []).append(max(votes, key=lambda other: votes[other]) == kind)
    if len(hits) < 2:
        return math.nan, len(left)
    return float(np.mean([np.mean(one) for one in hits.values()])), len(left)


@pytest.mark.parametrize("seed", range(12))
def test_it_equals_plain_loops(seed: int) -> None:
    draw = np.random.default_rng(seed)
    torch.manual_seed(seed)
    number, owners = int(draw.integers(2, 5)), int(draw.integers(2, 12))
    k, rows, kept = int(draw.integers(1, 9)), 40, int(draw.integers(10, 90))
    classes, kinds = draw.integers(-1, number, rows), draw.integers(-1, number, kept)
    groups, members = draw.integers(0, owners, rows), draw.integers(0, owners, kept)
    features, bank = torch.randn(rows, 5), torch.randn(kept, 5)
    score, taking_part = knn_balanced_accuracy(
        features, *map(torch.from_numpy, (classes, groups)), bank, *map(torch.from_numpy, (kinds, members)), k, number
    )
    expected, classes_expected = by_loops(
        features, classes.tolist(), groups.tolist(), bank, kinds.tolist(), members.tolist(), k
    )
    assert float(score) == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert int(taking_part) == classes_expected


def _score(
    features: Tensor, classes: list[int], groups: list[int], bank: Tensor, kinds: list[int], owners: list[int], k: int
) -> float:
    made = (torch.tensor(one) for one in (classes, groups))
    kept = (torch.tensor(one) for one in (kinds, owners))
    number = max(*classes, *kinds) + 1
    return float(knn_balanced_accuracy(features, *made, bank, *kept, k, number)[0])


def test_an_encoder_that_only_tells_patients_apart_does_not_know_the_label() -> None:
    """80 patients, each at a place of its own and of one class: rows of the same patient would all be right."""
    torch.manual_seed(0)
    places = 3 * torch.randn(80, 16)
    patient, query = torch.randint(0, 80, (1500,)), torch.randint(0, 80, (400,))
    bank, rows = places[patient] + torch.randn(1500, 16), places[query] + torch.randn(400, 16)
    left_out, _ = knn_balanced_accuracy(rows, query % 4, query, bank, patient % 4, patient, 5, 4)
    strangers = torch.arange(400) + 80
    kept_in, _ = knn_balanced_accuracy(rows, query % 4, strangers, bank, patient % 4, patient, 5, 4)
    assert float(left_out) < 0.4
    assert float(kept_in) > 0.95


@pytest.mark.parametrize(("patients", "number"), [(4, 2), (8, 2), (12, 3), (80, 3)])
def test_features_that_know_nothing_reach_one_over_the_classes(patients: int, number: int) -> None:
    """With few patients too, where leaving out the own one takes away a large part of the own class."""
    torch.manual_seed(1)
    scores = []
    for _ in range(40):
        patient, query = torch.randint(0, patients, (600,)), torch.randint(0, patients, (100,))
        score, _ = knn_balanced_accuracy(
            torch.randn(100, 8), query % number, query, torch.randn(600, 8), patient % number, patient, 5, number
        )
        scores.append(float(score))
    error = np.std(scores) / np.sqrt(len(scores))
    assert np.mean(scores) == pytest.approx(1 / number, abs=4 * error)


def test_classes_count_alike_however_many_rows_they_have() -> None:
    bank = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.1, 0.9]])
    rows = torch.tensor([[1.0, 0.05], [0.9, 0.1], [0.8, 0.0], [0.9, 0.0], [1.0, 0.1]])
    assert _score(rows, [0, 0, 0, 0, 1], [10, 11, 12, 13, 14], bank, [0, 0, 1, 1], [0, 1, 2, 3], k=1) == 0.5


def test_a_class_of_one_group_takes_no_part() -> None:
    torch.manual_seed(2)
    bank, rows = torch.randn(6, 4), torch.randn(3, 4)
    arguments = torch.tensor([0, 1, 2]), torch.tensor([7, 8, 9]), bank, torch.tensor([0, 0, 1, 1, 2, 2])
    score, taking_part = knn_balanced_accuracy(rows, *arguments, torch.tensor([0, 1, 2, 3, 4, 4]), 3, 3)
    assert int(taking_part) == 2
    alone, taking_part = knn_balanced_accuracy(rows, *arguments, torch.tensor([0, 1, 2, 2, 4, 4]), 3, 3)
    assert (math.isnan(float(alone)), int(taking_part)) == (True, 1)
    assert not math.isnan(float(score))


def test_an_empty_bank_says_nothing() -> None:
    nothing = torch.zeros(0, dtype=torch.int64)
    score, taking_part = knn_balanced_accuracy(
        torch.randn(2, 3), torch.tensor([0, 1]), torch.tensor([0, 1]), torch.zeros(0, 3), nothing, nothing, 5, 2
    )
    assert (math.isnan(float(score)), int(taking_part)) == (True, 0)


def test_of_equally_many_neighbours_the_class_of_the_nearest_wins() -> None:
    """The first row of each class is left out, as large as any group of it."""
    bank = torch.tensor([[0.0, -1.0], [0.0, -1.0], [1.0, 0.0], [1.0, 0.1], [-1.0, 0.0], [-1.0, 0.1]])
    rows = torch.tensor([[1.0, 0.0], [1.0, 0.09]])
    assert _score(rows, [0, 1], [10, 11], bank, [0, 1, 0, 1, 0, 1], [0, 1, 2, 3, 4, 5], k=2) == 1


def _table(**columns: object) -> SampleTable:
    return SampleTable.of(pl.DataFrame({"sample": [f"s{k}" for k in range(12)], **columns}))


def test_a_row_of_an_unknown_group_is_a_group_of_its_own() -> None:
    patients = ["a", "a", None, None, "b", "b", *"cdefgh"]
    made = online_labels(_table(kind=[None, *"xyxyxyxyxyx"], patient=patients), "kind", "patient")
    groups = made.groups.tolist()
    assert groups[0] == groups[1]
    assert groups[4] == groups[5]
    assert len(set(groups)) == 10
    assert made.classes.tolist()[:3] == [-1, 0, 1]
    assert made.number == 2
    assert online_labels(_table(kind=list("xyxyxyxyxyxy")), "kind", None).groups.tolist() == list(range(12))


def test_a_number_of_many_values_is_cut_into_ten_classes() -> None:
    frame = {"sample": [f"s{k}" for k in range(60)], "age": [float(k) for k in range(60)]}
    made = online_labels(SampleTable.of(pl.DataFrame(frame)), "age", None)
    assert torch.bincount(made.classes).tolist() == [6] * 10


def test_a_label_that_is_the_group_is_refused_with_a_way_out() -> None:
    table = _table(patient=[f"p{k // 2}" for k in range(12)])
    with pytest.raises(UsageError, match="that occur in two groups of 'patient' each") as caught:
        online_labels(table, "patient", "patient")
    assert "health.group=sample" in caught.value.hint
    assert online_labels(table, "patient", "sample").number == 6
    with pytest.raises(UsageError, match="in two rows each"):
        online_labels(_table(kind=["x"] * 12), "kind", None)
