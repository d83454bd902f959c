"""Projection heads: layers, norms, and the output of SimSiam and MoCo v3."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ssl_domains.encoders import Norm, projection_head


def kinds(head: nn.Sequential) -> list[str]:
    return [type(layer).__name__ for layer in head]


def test_the_usual_head_has_batch_norm_in_its_hidden_layers() -> None:
    assert kinds(projection_head(8, 6, 4)) == ["Linear", "BatchNorm1d", "ReLU", "Linear"]
    assert kinds(projection_head(8, 6, 4, layers=0)) == []
    assert kinds(projection_head(8, 6, 4, layers=1, norm="layer")) == ["Linear"]


@pytest.mark.parametrize(("norm", "expected"), [("batch", "BatchNorm1d"), ("layer", "LayerNorm"), ("none", None)])
def test_norms(norm: Norm, expected: str | None) -> None:
    head = projection_head(8, 6, 4, 3, norm, last_norm=True)
    assert kinds(head).count(str(expected)) == (3 if expected else 0)
    assert head(torch.rand(5, 8)).shape == (5, 4)
    # A bias before a norm over the batch has no effect, and before none it has.
    assert [layer.bias is not None for layer in head if isinstance(layer, nn.Linear)] == [expected is None] * 3
    if norm == "batch":
        torch.testing.assert_close(head(torch.rand(50, 8)).mean(0), torch.zeros(4), atol=1e-5, rtol=0)
