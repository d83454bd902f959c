"""Pooling in segments: equal parts of every length, whatever the padding."""

from __future__ import annotations

import pytest
import torch

from ssl_domains.encoders import create_encoder
from ssl_domains.encoders.segments import segment_means
from ssl_domains.errors import UsageError
from ssl_domains.inputs import InputSpec
from ssl_domains.testing import check_encoder

WAVE = InputSpec("wave", 1, (None,))
MEL = InputSpec("mel", 1, (16, None))


def by_hand(row: torch.Tensor, segments: int) -> torch.Tensor:
    """Means of equal parts of ``[F, n]``: each place is repeated, so that the parts hold whole places."""
    fine = row.double().repeat_interleave(segments, dim=1)
    return torch.cat([part.mean(dim=1) for part in fine.chunk(segments, dim=1)])


@pytest.mark.parametrize("segments", [1, 2, 3, 4, 7])
def test_parts_are_equal_for_every_length(segments: int) -> None:
    draws = torch.Generator().manual_seed(0)
    lengths = [1, 2, 3, 4, 5, 7, 12, 13]
    valid = torch.arange(13)[None, None] < torch.tensor(lengths)[:, None, None]
    features = torch.randn(len(lengths), 5, 13, generator=draws).masked_fill(~valid, 0.0)
    made = segment_means(features, valid, segments)
    for row, length in enumerate(lengths):
        expected = by_hand(features[row, :, :length], segments)
        torch.testing.assert_close(made[row].double(), expected, atol=1e-5, rtol=0)
        alone = segment_means(features[row : row + 1, :, :length], None, segments)[0]
        torch.testing.assert_close(made[row], alone, atol=1e-5, rtol=0)


def test_other_sides_are_averaged_first() -> None:
    features = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(0))
    whole = segment_means(features, None, 2)
    torch.testing.assert_close(whole, segment_means(features.mean(dim=2), None, 2))
    first = features[..., :3].mean(dim=(2, 3))
    torch.testing.assert_close(whole[:, :3], first)


def test_a_sample_without_a_valid_place_is_0() -> None:
    made = segment_means(torch.zeros(1, 3, 5), torch.zeros(1, 1, 5, dtype=torch.bool), 4)
    assert torch.equal(made, torch.zeros(1, 12))


@pytest.mark.parametrize(("name", "takes"), [("conv1d", WAVE), ("small_conv", MEL)])
def test_an_encoder_of_segments_keeps_the_contract(name: str, takes: InputSpec) -> None:
    plain, parts = (create_encoder(name, takes=takes, segments=segments) for segments in (1, 4))
    check_encoder(parts)
    assert parts.num_features == 4 * plain.num_features
    assert parts.map_features == plain.num_features
    assert parts.state_dict().keys() == plain.state_dict().keys()
    values = torch.randn(2, 1, *(side or 400 for side in takes.space), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        one, four = plain.eval()(values), parts.eval()(values)
    torch.testing.assert_close(one.map, four.map)
    torch.testing.assert_close(four.pooled.view(2, 4, -1).mean(dim=1), one.pooled, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("takes", [InputSpec("image", 3, (32, 32)), None])
@pytest.mark.parametrize("name", ["small_conv", "small_vit"])
def test_pictures_have_no_segments(name: str, takes: InputSpec | None) -> None:
    with pytest.raises(UsageError, match="can't pool segments"):
        create_encoder(name, takes=takes, segments=4)
