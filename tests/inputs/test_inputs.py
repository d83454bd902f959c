"""Inputs of any rank: joined with padding that is never data; views in view-major order whatever their size."""

from __future__ import annotations

import pytest
import torch

from ssl_domains.errors import DataError, UsageError
from ssl_domains.inputs import Input, InputSpec, View, Views


def wave(length: int, count: int = 2, value: float = 1.0) -> Input:
    return Input(torch.full((count, 1, length), value), kind="wave", ragged=(0,), pad=-7.0)


def test_ragged_sides_are_padded_to_the_longest_with_the_declared_value() -> None:
    joined = Input.cat([wave(3), wave(5)])
    assert joined.values.shape == (4, 1, 5)
    assert joined.values[0, 0].tolist() == [1.0, 1.0, 1.0, -7.0, -7.0]
    assert joined.valid is not None
    assert joined.lengths.tolist() == [3, 3, 5, 5]


def test_inputs_of_one_length_stay_without_validity() -> None:
    assert Input.cat([wave(3), wave(3)]).valid is None
    assert wave(3).lengths.tolist() == [3, 3]


def test_only_the_ragged_side_of_a_spectrogram_is_padded() -> None:
    one, two = (Input(torch.ones(1, 1, 4, t), kind="mel", ragged=(1,)) for t in (2, 6))
    joined = Input.cat([one, two])
    assert joined.values.shape == (2, 1, 4, 6)
    assert joined.valid is not None
    assert joined.valid[0, 0].sum(dim=-1).tolist() == [2, 2, 2, 2]


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (Input(torch.ones(2, 1, 3), kind="mel", ragged=(0,)), "kind"),
        (Input(torch.ones(2, 2, 3), kind="wave", ragged=(0,), pad=-7.0), "channels"),
        (Input(torch.ones(2, 1, 3), kind="wave", ragged=(0,)), "two forms"),
        (Input(torch.ones(2, 1, 3, 3), kind="wave", ragged=(0,)), "sides"),
        (Input(torch.ones(2, 1, 3, dtype=torch.float64), kind="wave", ragged=(0,)), "float64"),
    ],
)
def test_what_is_not_alike_does_not_go_into_one_batch(other: Input, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Input.cat([wave(3), other])


def test_a_fixed_side_is_never_padded() -> None:
    with pytest.raises(UsageError, match="8 and 4 along side 0, which is fixed"):
        Views((View(Input(torch.ones(2, 3, 8, 8))), View(Input(torch.ones(2, 3, 4, 4))))).together  # noqa: B018


def test_validity_has_the_shape_of_the_values() -> None:
    with pytest.raises(UsageError, match="validity of shape"):
        Input(torch.ones(2, 3, 8), torch.ones(2, 3, 8, dtype=torch.bool))


def test_groups_of_views_come_back_in_view_major_order() -> None:
    sizes = [8, 4, 8, 4, 4]
    views = Views(tuple(View(Input(torch.full((3, 1, s, s), float(v)))) for v, s in enumerate(sizes)))
    groups = views.by_shape()
    assert [group.numbers for group in groups] == [(0, 2), (1, 3, 4)]
    rows = views.in_order(groups, [group.input.values.mean(dim=(2, 3)) for group in groups])
    assert rows[:, 0].tolist() == [v for v in range(5) for _ in range(3)]
    assert views.rows([1]).tolist() == [3, 4, 5]


def test_emitted_numbers_are_missing_in_the_views_that_do_not_emit_them() -> None:
    start = torch.tensor([0.5, 1.5], dtype=torch.float64)
    views = Views((View(wave(3), {"start": start}), View(wave(4), part=1)))
    assert views.emitted["start"][:2].tolist() == [0.5, 1.5]
    assert views.emitted["start"][2:].isnan().all()
    assert views.part is not None
    assert views.part.tolist() == [0, 0, 1, 1]


def test_uint8_becomes_the_unit_interval() -> None:
    one = Input(torch.tensor([[[[0, 255]]]], dtype=torch.uint8)).unit()
    assert one.values.flatten().tolist() == [0.0, 1.0]


def test_a_spec_checks_what_it_declares_and_survives_json() -> None:
    spec = InputSpec("mel", 1, (4, None), pad=-10.0)
    assert InputSpec.from_dict(spec.to_dict()) == spec
    assert spec.input(torch.ones(2, 1, 4, 9)).ragged == (1,)
    with pytest.raises(DataError, match=r"\[B, 1, 4, any\] is declared"):
        spec.input(torch.ones(2, 1, 5, 9))
    with pytest.raises(DataError, match="float64"):
        spec.input(torch.ones(2, 1, 4, 9, dtype=torch.float64))


def test_trimming_takes_away_what_no_sample_needs() -> None:
    joined = Input.cat([wave(3), wave(5), wave(9)])
    short = joined.take(slice(0, 4)).trimmed()
    assert short.values.shape == (4, 1, 5)
    assert short.lengths.tolist() == [3, 3, 5, 5]
    assert joined.take(slice(0, 2)).trimmed().valid is None
    assert wave(3).trimmed().values.shape == (2, 1, 3)


def test_joining_nothing_and_padding_to_less_are_refused() -> None:
    with pytest.raises(UsageError, match="no inputs to join"):
        Input.cat([])
    with pytest.raises(UsageError, match="padded to"):
        wave(7).padded([5])
    with pytest.raises(UsageError, match="padded to"):
        wave(7).padded([7, 7])
    with pytest.raises(UsageError, match="validity of type"):
        Input(torch.ones(2, 1, 3), torch.ones(2, 1, 3))


def test_an_input_of_any_memory_layout_moves() -> None:
    for values in (
        torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last),
        torch.ones(2, 1, 1, 1).expand(2, 3, 4, 4),
    ):
        assert torch.equal(Input(values).to("cpu").values, values)
