"""Rows: view-major order, unique ids, and stored rows."""

from __future__ import annotations

import pytest
import torch

from ssl_domains.errors import UsageError
from ssl_domains.pairs import Rows


def test_views_come_as_concatenated() -> None:
    rows = Rows.of([5, 7], views=2, part=[0, 1], emitted={"angle": [1, 2, 3, 4]})
    assert rows.sample.tolist() == [5, 7, 5, 7]
    assert rows.view.tolist() == [0, 0, 1, 1]
    assert rows.part.tolist() == [0, 1, 0, 1]
    assert rows.row.tolist() == [0, 1, 2, 3]
    assert rows.emitted["angle"].dtype == torch.float64
    assert len(rows) == 4
    assert {t.dtype for t in (rows.sample, rows.view, rows.part, rows.row)} == {torch.int64}


def test_stored_rows_have_no_view_and_negative_ids() -> None:
    rows = Rows.stored(torch.tensor([3, -1, 3]), part=2)
    assert rows.view.tolist() == [-1, -1, -1]
    assert rows.part.tolist() == [2, 2, 2]
    assert (rows.row < 0).all()


def test_cat_keeps_ids_and_fills_numbers_with_nan() -> None:
    both = Rows.cat([Rows.of([1], emitted={"t": [0.0, 1.0]}), Rows.of([2], views=1, first_row=2), Rows.stored([4])])
    assert both.row.tolist() == [0, 1, 2, -1]
    assert both.sample.tolist() == [1, 1, 2, 4]
    assert torch.isnan(both.emitted["t"]).tolist() == [False, False, True, True]


def test_take_and_to_keep_ids() -> None:
    rows = Rows.of([5, 7], emitted={"t": [0.0, 1.0, 2.0, 3.0]}).take(torch.tensor([3, 0]))
    assert rows.row.tolist() == [3, 0]
    assert rows.emitted["t"].tolist() == [3, 0]
    assert rows.to("meta").emitted["t"].device.type == "meta"
    assert Rows.of([5, 7]).take(slice(1, 3)).sample.tolist() == [7, 5]


def test_lengths_must_agree() -> None:
    one, two = torch.zeros(1, dtype=torch.int64), torch.zeros(2, dtype=torch.int64)
    with pytest.raises(UsageError, match=r"Rows\.view has another length"):
        Rows(one, two, one, one)
    with pytest.raises(UsageError, match="'t' has another length"):
        Rows.of([1, 2], emitted={"t": [1.0]})
