from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation import handmade_features
from ssl_domains.probes import hog, linear_probe, mean_colour, read_labels
from ssl_domains.views import RandomCrop, Tiling


def test_rows_go_through_the_runs_own_canvas(world: Any, make_run: Any) -> None:
    run = make_run()
    part = world.table.take([5, 3, 8])
    whole = handmade_features(mean_colour, run.preprocess, part, world.store, batch_size=2)
    positions = world.store.positions(part)
    for features, position in zip(whole, positions, strict=True):
        image = run.preprocess(world.store[int(position)]).values[0].numpy()
        np.testing.assert_array_equal(features, mean_colour(image[None])[0])


def test_of_a_run_of_crops_they_are_those_of_the_part_that_the_encoder_sees(world: Any, make_run: Any) -> None:
    run, part = make_run(), world.table.take([5, 3, 8])
    arrays, size = world.store.of(part), run.preprocess.canvas.size
    crop = RandomCrop((size // 2, size // 2))
    centred = handmade_features(mean_colour, run.preprocess, part, world.store, crop=crop)
    tiled = handmade_features(mean_colour, run.preprocess, part, world.store, crop=crop, tiling=Tiling(), batch_size=3)

    def features(array: np.ndarray) -> np.ndarray:
        return mean_colour(run.preprocess(array).values.numpy())[0]

    for row in range(3):
        height, width = arrays.shape(row)[:2]
        middle = arrays[row][crop.centre(arrays.shape(row), {})]
        np.testing.assert_allclose(centred[row], features(middle), rtol=1e-6)
        side = size // 2
        tops = [*range(0, height - side, side), height - side]
        lefts = [*range(0, width - side, side), width - side]
        each = [features(arrays[row][top : top + side, left : left + side]) for top in tops for left in lefts]
        np.testing.assert_allclose(tiled[row], np.mean(each, axis=0), rtol=1e-5)
    with pytest.raises(UsageError, match="tiles have the size of a crop"):
        handmade_features(mean_colour, run.preprocess, part, world.store, tiling=Tiling())


def test_a_linear_probe_reads_them_like_an_encoder(world: Any, make_run: Any) -> None:
    x = handmade_features(hog, make_run().preprocess, world.table, world.store)
    frame = world.table.frame
    train, test = ((frame["split"] == side).to_numpy() for side in ("train", "test"))
    result = linear_probe(x, read_labels(frame["kind"]), world.table.codes("patient"), train, test)
    assert result.scores.values["balanced accuracy"] == 1.0  # bars across or along: what HOG is for


def test_no_row(world: Any, make_run: Any) -> None:
    with pytest.raises(DataError, match="no row"):
        handmade_features(hog, make_run().preprocess, world.table.take([]), world.store)
