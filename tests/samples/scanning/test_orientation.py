"""Orientation tags against what Pillow shows, for every tag and format that has one."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from ssl_domains.samples.scanning.orientation import (
    loaded_orientation,
    orientation_of,
    stored_size,
    turned,
    turned_back,
    turned_size,
)

SIZE = (7, 4)


@pytest.mark.parametrize("tag", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_every_tag_as_pillow_shows_it(tag: int, kind: str) -> None:
    pixels = np.random.default_rng(tag).integers(0, 256, (SIZE[1], SIZE[0], 3)).astype(np.uint8)
    exif = Image.Exif()
    exif[274] = tag
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format=kind, exif=exif)
    with Image.open(file) as picture:
        shown = np.asarray(ImageOps.exif_transpose(picture))
    with Image.open(file) as picture:
        assert orientation_of(picture) == tag
        assert stored_size(picture) == SIZE
        assert turned_size(SIZE, tag) == (shown.shape[1], shown.shape[0])
        picture.load()
        loaded = loaded_orientation(picture, tag)
        stored = turned_back(np.asarray(picture), loaded)
    assert stored.shape[:2] == (SIZE[1], SIZE[0])
    np.testing.assert_array_equal(turned(stored, tag), shown)
    np.testing.assert_array_equal(turned_back(shown, tag), stored)


@pytest.mark.parametrize("tag", [0, 9, 300])
def test_a_tag_that_means_nothing_is_none(tag: int) -> None:
    exif = Image.Exif()
    exif[274] = tag
    file = io.BytesIO()
    Image.new("L", SIZE).save(file, format="JPEG", exif=exif)
    with Image.open(file) as picture:
        assert orientation_of(picture) == 1
