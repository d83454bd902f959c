"""Instances of sequences: adaptive pooling of each sequence alone, and nothing of padding."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from ssl_domains.encoders import Features
from ssl_domains.methods.rows.instances import InstanceMapping, cut_instances, frames_of


def expected(sequence: Tensor, mapping: InstanceMapping, windows: int) -> Tensor:
    """Instances ``[n, F]`` of one sequence ``[T, F]`` without padding, by torch's adaptive pooling."""
    most = {"all": 1, "window": windows, "frame": len(sequence)}[mapping]
    return F.adaptive_avg_pool1d(sequence.T[None], min(most, len(sequence)))[0].T


@given(
    lengths=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    mapping=st.sampled_from(["all", "window", "frame"]),
    windows=st.integers(1, 9),
    before=st.integers(0, 3),
    seed=st.integers(0, 99),
)
def test_they_are_adaptive_pooling_of_each_sequence_alone(
    lengths: list[int], mapping: InstanceMapping, windows: int, before: int, seed: int
) -> None:
    draws = torch.Generator().manual_seed(seed)
    width = max(lengths) + before + 2
    frames = torch.full((len(lengths), width, 3), torch.nan, dtype=torch.float64)
    valid = torch.zeros(len(lengths), width, dtype=torch.bool)
    each, of, part = [], [], []
    for row, length in enumerate(lengths):
        sequence = torch.randn(length, 3, generator=draws, dtype=torch.float64)
        frames[row, before : before + length] = sequence
        valid[row, before : before + length] = True
        if length:
            each.append(expected(sequence, mapping, windows))
            of += [row] * len(each[-1])
            part += range(len(each[-1]))
    found = cut_instances(frames, valid, mapping, windows)
    assert found.of.tolist() == of
    assert found.part.tolist() == part
    torch.testing.assert_close(found.features, torch.cat(each) if each else torch.zeros(0, 3, dtype=torch.float64))


def test_fewer_frames_than_windows_give_a_window_a_frame() -> None:
    frames = torch.arange(3.0)[None, :, None]
    found = cut_instances(frames, torch.ones(1, 3, dtype=torch.bool), "window", 5)
    assert found.features[:, 0].tolist() == [0.0, 1.0, 2.0]


def test_they_are_in_float32_whatever_the_encoder_computes_in() -> None:
    frames = torch.rand(2, 6, 3).to(torch.bfloat16)
    valid = torch.ones(2, 6, dtype=torch.bool)
    for mapping in ("all", "window", "frame"):
        assert cut_instances(frames, valid, mapping, 4).features.dtype == torch.float32  # type: ignore[arg-type]


@pytest.mark.parametrize("side", [0, 1])
def test_frames_are_means_over_the_valid_places_of_the_other_side(side: int) -> None:
    values = torch.rand(2, 3, 4, 5, dtype=torch.float64)
    mask = torch.rand(2, 1, 4, 5, generator=torch.Generator().manual_seed(1)) > 0.4
    mask[0].select(1 + side, 2).fill_(False)
    frames, valid = frames_of(Features(values[..., 0, 0], values, mask), side)
    for view in range(2):
        for place in range((4, 5)[side]):
            inside = mask[view, 0].select(side, place)
            assert bool(valid[view, place]) == bool(inside.any())
            column = values[view].select(1 + side, place)
            mean = column[:, inside].mean(dim=1) if inside.any() else torch.zeros(3, dtype=torch.float64)
            torch.testing.assert_close(frames[view, place], mean)


def test_frames_of_a_map_of_one_side_are_its_places() -> None:
    values = torch.rand(2, 3, 7)
    frames, valid = frames_of(Features(values.mean(2), values), 0)
    torch.testing.assert_close(frames, values.transpose(1, 2))
    assert bool(valid.all())
    assert valid.shape == (2, 7)
