from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ssl_domains.reports.embedding_map import embedding_map, nearest, project
from ssl_domains.reports.thumbnails.sprite import make_sprite


def two_clouds() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.concatenate([rng.normal(0, 1, (40, 8)), rng.normal(12, 1, (40, 8))])


@pytest.mark.parametrize("projection", ["tsne", "pca"])
def test_clouds_stay_apart_and_the_picture_is_the_same_twice(projection: Any) -> None:
    x = two_clouds()
    flat, how = project(x, projection)
    assert ("t-SNE" in how) == (projection == "tsne")
    left, right = flat[:40], flat[40:]
    within = max(np.linalg.norm(side - side.mean(0), axis=1).mean() for side in (left, right))
    assert np.linalg.norm(left.mean(0) - right.mean(0)) > 2 * within
    np.testing.assert_array_equal(project(x, projection)[0], flat)


@pytest.mark.parametrize("x", [np.zeros((50, 4)), np.ones((3, 1)), two_clouds()[:5]])
def test_few_rows_and_a_collapsed_encoder_still_give_points(x: np.ndarray) -> None:
    flat, how = project(x)
    assert flat.shape == (len(x), 2)
    assert np.isfinite(flat).all()
    assert "principal components" in how


def test_neighbours_are_the_most_similar() -> None:
    x = two_clouds()
    for one in nearest(x, queries=5, k=4):
        assert one.query not in one.found
        assert all((i < 40) == (one.query < 40) for i in one.found)
    assert all(len(one.found) == 2 for one in nearest(x[:3], queries=5, k=4))


def test_points_thumbnails_and_colours_are_of_the_same_rows(world: Any) -> None:
    picture = embedding_map(world.run, world.table, world.store, ["kind"], ["patient"], most=50)
    assert len(picture.samples) == len(picture.xy) == len(picture.colourings[0].texts) == 50
    assert picture.total == 120
    kinds = dict(world.table.frame.select("sample", "kind").iter_rows())
    assert picture.colourings[0].texts == [kinds[sample] for sample in picture.samples]
    assert (picture.xy >= 0).all()
    assert (picture.xy <= picture.edge).all()


def test_the_sprite_holds_each_thumbnail_in_its_place(world: Any) -> None:
    table = world.table.take([3, 14, 0, 7, 8])
    sprite = make_sprite(table, world.store, world.run.preprocess)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(sprite.uri.partition(",")[2]))))
    assert sheet.shape[:2] == (sprite.rows * sprite.edge, sprite.columns * sprite.edge)
    assert sprite.edge <= 48
    for i in range(5):
        y, x = (sprite.edge * part for part in divmod(i, sprite.columns))
        alone = make_sprite(table.take([i]), world.store, world.run.preprocess)
        mine = np.asarray(Image.open(io.BytesIO(base64.b64decode(alone.uri.partition(",")[2]))))
        np.testing.assert_array_equal(sheet[y : y + sprite.edge, x : x + sprite.edge], mine)
