from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.probes.overlap import add_confusion, dice
from ssl_domains.views import IGNORED, Canvas, place_mask, to_native


@given(st.integers(1, 40), st.integers(1, 40), st.sampled_from(["stretch", "fit"]))
@settings(max_examples=60, deadline=None)
def test_a_mask_lies_where_its_image_lies(height: int, width: int, mode: str) -> None:
    canvas = Canvas(16, mode)  # type: ignore[arg-type]
    _, seen = canvas.apply(np.ones((height, width, 1), np.float32))
    placed = place_mask(canvas, np.ones((height, width), np.uint8))
    np.testing.assert_array_equal(placed != IGNORED, np.ones((16, 16), bool) if seen is None else seen)


@pytest.mark.parametrize("shape", [(9, 30), (30, 9), (33, 40), (5, 5)])
@pytest.mark.parametrize("mode", ["stretch", "fit"])
def test_each_pixel_takes_the_class_under_its_centre(shape: tuple[int, int], mode: str) -> None:
    canvas = Canvas(16, mode)  # type: ignore[arg-type]
    mask = np.random.default_rng(0).integers(0, 4, shape).astype(np.uint8)
    placed = place_mask(canvas, mask)
    top, left, height, width = canvas.box(*shape)
    for y in range(height):
        for x in range(width):
            there = mask[int((y + 0.5) * shape[0] / height), int((x + 0.5) * shape[1] / width)]
            assert placed[top + y, left + x] == there


@pytest.mark.parametrize("mode", ["stretch", "fit"])
def test_edges_of_mask_and_image_agree(mode: str) -> None:
    """A half plane drawn in the image, its mask thresholded there and its image thresholded on the canvas."""
    canvas = Canvas(32, mode)  # type: ignore[arg-type]
    mask = np.zeros((64, 48), np.uint8)
    mask[:, 24:] = 1
    mask[32:, :12] = 1
    picture, _ = canvas.apply(mask[:, :, None].astype(np.float32))
    placed = place_mask(canvas, mask)
    np.testing.assert_array_equal(placed[placed != IGNORED], (picture[:, :, 0] > 0.5)[placed != IGNORED])


@pytest.mark.parametrize("shape", [(35, 35), (47, 31), (24, 43), (64, 64), (16, 20)])
@pytest.mark.parametrize("mode", ["stretch", "fit"])
def test_there_and_back_a_mask_is_nearly_itself(shape: tuple[int, int], mode: str) -> None:
    canvas = Canvas(32, mode)  # type: ignore[arg-type]
    y, x = np.mgrid[: shape[0], : shape[1]] / np.array(shape)[:, None, None]
    mask = (np.hypot(y - 0.4, x - 0.45) < 0.25).astype(np.uint8)
    mask[(np.hypot(y - 0.75, x - 0.6) < 0.2)] = 2
    placed = torch.from_numpy(place_mask(canvas, mask).astype(np.int64)).clamp(max=2)
    scores = torch.nn.functional.one_hot(placed, 3).movedim(-1, 0)[None].float()
    guess = to_native(canvas, scores, *shape)[0].argmax(dim=0).numpy()
    counts = np.zeros((3, 3), np.int64)
    add_confusion(counts, mask, guess)
    assert guess.shape == shape
    assert dice(counts).min() > 0.92
