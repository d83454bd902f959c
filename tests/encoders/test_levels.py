from __future__ import annotations

import pytest
import torch

from ssl_domains.encoders import create_encoder, feature_levels
from ssl_domains.errors import UsageError


@pytest.mark.parametrize(
    ("name", "size", "shapes"),
    [
        ("small_conv", 32, [(16, 32), (32, 16), (64, 8), (128, 4)]),
        ("resnet18", 64, [(64, 32), (64, 16), (128, 8), (256, 4), (512, 2)]),
        ("vit_tiny_patch16_224", 32, [(192, 2)] * 4),
    ],
)
def test_each_stage_gives_its_map(name: str, size: int, shapes: list[tuple[int, int]]) -> None:
    encoder = create_encoder(name, 1, image_size=size).eval()
    x = torch.rand(2, 1, size, size)
    with torch.no_grad():
        maps = feature_levels(encoder, x)
        last = feature_levels(encoder, x, "last")
    assert [tuple(one.shape) for one in maps] == [(2, width, side, side) for width, side in shapes]
    assert len(last) == 1
    torch.testing.assert_close(last[0], encoder(x).map)
    if name != "vit_tiny_patch16_224":  # whose last map is normalised, as it is pooled
        torch.testing.assert_close(maps[-1], last[0])


def test_other_levels_are_refused() -> None:
    with pytest.raises(UsageError, match="no levels 'first'"):
        feature_levels(create_encoder("small_conv", 1), torch.rand(1, 1, 16, 16), "first")  # type: ignore[arg-type]
