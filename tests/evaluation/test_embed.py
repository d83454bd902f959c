from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

from ssl_domains.errors import DataError
from ssl_domains.evaluation import embed
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore


def test_every_row_of_every_split_by_hand(world: Any, make_run: Any) -> None:
    run = make_run()
    frame = embed(run, world.table, world.store, batch_size=7)
    assert frame["sample"].to_list() == world.table.frame["sample"].to_list()
    assert frame.schema["embedding"] == pl.Array(pl.Float32, 128)
    encoder = run.encoder().eval()
    position = int(world.store.positions(world.table)[17])
    with torch.no_grad():
        expected = encoder(run.preprocess(world.store[position]).values).pooled[0].numpy()
    np.testing.assert_allclose(frame["embedding"].to_numpy()[17], expected, rtol=1e-4, atol=1e-6)


def test_reused_only_when_weights_and_table_are_the_same(world: Any, make_run: Any) -> None:
    run = make_run()
    calls: list[tuple[int, int]] = []

    def count(done: int, of: int) -> None:
        calls.append((done, of))

    first = embed(run, world.table, world.store, progress=count)
    assert calls[-1] == (120, 120)
    calls.clear()
    assert embed(run, world.table, world.store, progress=count).equals(first)
    assert calls == []
    embed(run, world.table.take(range(5)), world.store, progress=count)
    assert calls == [(5, 5)]
    calls.clear()
    state = run.checkpoints.load()["method"]
    state["encoder.model.stages.0.0.weight"] += 0.5
    run.checkpoints.save(8, {"method": state})
    other = embed(run, world.table, world.store, progress=count)
    assert calls
    assert not np.allclose(other["embedding"].to_numpy(), first["embedding"].to_numpy())


def test_a_damaged_file_is_made_again(world: Any, make_run: Any) -> None:
    run = make_run()
    (run.folder / "embeddings.parquet").write_bytes(b"not parquet")
    assert len(embed(run, world.table, world.store)) == 120


def test_written_elsewhere_too(world: Any, make_run: Any, tmp_path: Path) -> None:
    embed(make_run(), world.table, world.store, out=tmp_path / "deep" / "e.parquet")
    assert len(pl.read_parquet(tmp_path / "deep" / "e.parquet")) == 120


def test_rows_that_cannot_be_decoded_are_left_out(world: Any, make_run: Any, tmp_path: Path) -> None:
    broken = SampleTable.of(world.table.frame.with_columns(index=pl.when(pl.col("index") > 2).then(pl.col("index"))))
    store = ArrayStore.fill(tmp_path / "s.store", broken, world.reader)
    frame = embed(make_run(), broken, store)
    assert len(frame) == 117
    assert "g00-00" not in frame["sample"]
    nothing = broken.take([0, 1])
    with pytest.raises(DataError, match="no row"):
        embed(make_run("other"), nothing, store)


def test_weights_that_went_to_nan_are_said(world: Any, make_run: Any) -> None:
    run = make_run()
    state = run.checkpoints.load()["method"]
    state["encoder.model.stages.0.0.weight"] *= float("nan")
    run.checkpoints.save(9, {"method": state})
    with pytest.raises(DataError, match="no finite features"):
        embed(run, world.table, world.store)
