from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ssl_domains.errors import DataError
from ssl_domains.evaluation import handmade_features
from ssl_domains.probes import hog, linear_probe, mean_colour, read_labels


def test_rows_go_through_the_runs_own_canvas(world: Any, make_run: Any) -> None:
    run = make_run()
    part = world.table.take([5, 3, 8])
    whole = handmade_features(mean_colour, run.preprocess, part, world.store, batch_size=2)
    positions = world.store.positions(part)
    for features, position in zip(whole, positions, strict=True):
        image = run.preprocess(world.store[int(position)]).values[0].numpy()
        np.testing.assert_array_equal(features, mean_colour(image[None])[0])


def test_a_linear_probe_reads_them_like_an_encoder(world: Any, make_run: Any) -> None:
    x = handmade_features(hog, make_run().preprocess, world.table, world.store)
    frame = world.table.frame
    train, test = ((frame["split"] == side).to_numpy() for side in ("train", "test"))
    result = linear_probe(x, read_labels(frame["kind"]), world.table.codes("patient"), train, test)
    assert result.scores.values["balanced accuracy"] == 1.0  # bars across or along: what HOG is for


def test_no_row(world: Any, make_run: Any) -> None:
    with pytest.raises(DataError, match="no row"):
        handmade_features(hog, make_run().preprocess, world.table.take([]), world.store)
