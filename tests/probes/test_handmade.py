from __future__ import annotations

import math

import numpy as np
import pytest

from ssl_domains.errors import UsageError
from ssl_domains.probes import hog, intensity_statistics, mean_colour


def hog_by_hand(image: np.ndarray, cell: int, orientations: int = 9) -> list[float]:
    """One picture ``[C, S, S]``, pixel by pixel; blocks of 2 × 2 cells."""
    channels, height, width = image.shape
    rows, columns = height // cell, width // cell
    top, left = (height - rows * cell) // 2, (width - columns * cell) // 2
    cells = np.zeros((rows, columns, orientations))
    for y in range(rows * cell):
        for x in range(columns * cell):
            strongest, best = (0.0, 0.0), -1.0
            for c in range(channels):
                v, u = y + top, x + left
                dx = float(image[c, v, u + 1]) - float(image[c, v, u - 1]) if 0 < u < width - 1 else 0.0
                dy = float(image[c, v + 1, u]) - float(image[c, v - 1, u]) if 0 < v < height - 1 else 0.0
                if math.hypot(dx, dy) > best:
                    strongest, best = (dx, dy), math.hypot(dx, dy)
            angle = math.degrees(math.atan2(strongest[1], strongest[0])) % 180.0
            place = angle / (180.0 / orientations) - 0.5
            share = place - math.floor(place)
            cells[y // cell, x // cell, math.floor(place) % orientations] += best * (1 - share)
            cells[y // cell, x // cell, (math.floor(place) + 1) % orientations] += best * share
    out: list[float] = []
    for r in range(rows - 1):
        for c in range(columns - 1):
            # orientation first, then the cell inside the block: the order does not matter to a probe, but must be fixed
            v = np.array([cells[r + i, c + j, o] for o in range(orientations) for i in range(2) for j in range(2)])
            v = np.minimum(v / math.sqrt((v**2).sum() + 1e-4), 0.2)
            out.extend(v / math.sqrt((v**2).sum() + 1e-4))
    return out


@pytest.mark.parametrize(("channels", "size", "cell"), [(1, 12, 4), (3, 13, 3)])
def test_hog_by_brute_force(channels: int, size: int, cell: int) -> None:
    images = np.random.default_rng(0).random((3, channels, size, size)).astype(np.float32)
    found = hog(images, cell=cell)
    assert found.dtype == np.float32
    for image, features in zip(images, found, strict=True):
        np.testing.assert_allclose(features, hog_by_hand(image.astype(np.float64), cell), atol=1e-5)


def test_hog_tells_directions_and_not_brightness() -> None:
    across = np.zeros((1, 1, 24, 24), np.float32)
    across[..., ::6] = across[..., 1::6] = across[..., 2::6] = 0.4
    along = across.transpose(0, 1, 3, 2)
    np.testing.assert_allclose(hog(across), hog(across + 0.3), atol=1e-5)
    assert float((hog(across) * hog(along)).sum()) < 0.2 * float((hog(across) ** 2).sum())


def test_hog_of_a_flat_picture_is_zero() -> None:
    assert not hog(np.full((2, 3, 24, 24), 0.7, np.float32)).any()


def test_hog_needs_a_block() -> None:
    with pytest.raises(UsageError, match="no block"):
        hog(np.zeros((1, 1, 8, 8), np.float32), cell=8)


def test_statistics_of_each_channel() -> None:
    images = np.random.default_rng(1).random((4, 3, 10, 10)).astype(np.float32)
    x, colour = intensity_statistics(images), mean_colour(images)
    assert x.shape == (4, 24)
    assert colour.shape == (4, 6)
    values = sorted(images[2, 1].ravel().tolist())
    mean = sum(values) / 100
    std = math.sqrt(sum((v - mean) ** 2 for v in values) / 100)
    assert x[2, 1] == pytest.approx(mean, rel=1e-5)
    assert x[2, 4] == pytest.approx(std, rel=1e-5)
    assert x[2, 7] == pytest.approx(sum((v - mean) ** 3 for v in values) / 100 / std**3, rel=1e-4)
    assert x[2, 16] == pytest.approx((values[49] + values[50]) / 2, rel=1e-5)  # the median
    np.testing.assert_allclose(colour, x[:, :6], rtol=1e-6)


def test_a_constant_picture_has_finite_statistics() -> None:
    assert np.isfinite(intensity_statistics(np.zeros((1, 2, 4, 4), np.float32))).all()
