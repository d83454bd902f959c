"""Embed a table with the frozen encoder of a run, and cache the embeddings in the run folder."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.encoders import Encoder
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.step.encoding import encode_rows, pooled
from ssl_domains.engine.step.feature_rows import FeatureRows
from ssl_domains.engine.step.length_order import encode_features
from ssl_domains.errors import DataError, UsageError
from ssl_domains.samples import SampleTable, Unreadable, read_guarded, require_target, write_errors, write_whole
from ssl_domains.stores import ArrayStore
from ssl_domains.views import (
    Crop,
    InputDataset,
    Preprocess,
    TileDataset,
    Tiling,
    crop_to_dict,
    extended,
    preprocess_to_dict,
)

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["embed", "embed_rows"]

_META_KEY = "ssl_domains.embeddings"
_ROWS_AT_ONCE = 4096
_ROWS_OF_A_GROUP = 1 << 16

Progress = Callable[[int, int], None]


def embed(
    run: Run,
    table: SampleTable,
    store: ArrayStore,
    *,
    out: str | Path | None = None,
    tiling: Tiling | None = None,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Pooled features of the frozen encoder for every decodable row of the table, in all splits.

    They are cached in ``embeddings.parquet`` of the run, and read from there while encoder, preprocessing, table, crop
    and tiling are the same.

    Where the run's views show crops, an encoder of a fixed size sees the crop at the centre of a sample, another one
    the whole sample. With ``tiling`` the features of a sample are the mean over tiles that cover it.

    Args:
        run: The run; its newest checkpoint is used.
        table: The samples.
        store: The arrays of the samples.
        out: A further file to write the embeddings to.
        tiling: Grid of tiles of each sample; only for a run whose views show crops.
        batch_size: Number of rows, or of tiles, in a batch.
        progress: Called with the number of rows done and of all rows.

    Returns:
        Columns ``sample`` and ``embedding`` (float32 array of the encoder's width), in the table's order.

    Raises:
        DataError: When no row could be decoded, or the encoder gives numbers that are not finite.
        UsageError: With a tiling, when the run's views show whole samples; when ``out`` can't be written, before
            anything is encoded.
        ResourceError: When the disk is full.
    """
    if out is not None:
        out = Path(out)
        require_target(out)
    encoder, preprocess = run.encoder(), run.preprocess
    samples = store.of(table)
    kept = run.folder / "embeddings.parquet"
    fingerprint = _fingerprint(encoder, preprocess, table, samples.fingerprint, run.crop, tiling)
    frame = _reuse(kept, fingerprint)
    if frame is None:
        part = table.take(samples.decoded)
        features = embed_rows(
            encoder, preprocess, part, store, device=run.config.train.device, batch_size=batch_size,
            workers=run.config.data.workers, crop=run.crop, tiling=tiling, progress=progress,
        )  # fmt: skip
        frame = pl.DataFrame(
            {
                "sample": part.frame["sample"],
                "embedding": pl.Series(features, dtype=pl.Array(pl.Float32, features.shape[1])),
            }
        )
        _keep(frame, kept, fingerprint)
    if out is not None and out.resolve() != kept.resolve():
        _write(frame, out, fingerprint)
    return frame


def embed_rows(
    encoder: Encoder,
    preprocess: Preprocess,
    table: SampleTable,
    store: ArrayStore,
    *,
    device: str = "auto",
    batch_size: int = 256,
    workers: int = 0,
    crop: Crop | None = None,
    tiling: Tiling | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Pooled features float32 ``[n, F]`` of decodable rows, from the encoder in evaluation mode, without augmentation.

    Args:
        encoder: The encoder.
        preprocess: Its preprocessing.
        table: The rows.
        store: The arrays of the rows.
        device: Device that the encoder runs on.
        batch_size: Largest number of rows, or of tiles, in a batch; with inputs of any length fewer when they are long.
        workers: Number of worker processes that read arrays; 0 reads in this process.
        crop: Crop of the views that the encoder was trained on.
        tiling: Grid of tiles of the crop's size, over which the features of a sample are averaged; None for one crop at
            the centre, or the whole sample.
        progress: Called with the number of rows (or tiles) done and of all of them.

    Raises:
        DataError: When there is no row, or the encoder gives numbers that are not finite.
        UsageError: With a tiling but without a crop.
    """
    if not len(table):
        raise DataError("no row of the table could be decoded", "see the table's problems file")
    if tiling is not None and crop is None:
        raise UsageError("tiles have the size of a crop, and the views show whole samples", "leave --tile out")
    dataset = InputDataset(table, store, extended(preprocess, table, store), cache_gb=0, crop=crop)
    shown = dataset if tiling is None else TileDataset(dataset, tiling)
    options: dict[str, Any] = {"batch_size": batch_size, "workers": workers, "progress": progress}
    with FeatureRows(len(table), encoder.num_features) as out:
        if isinstance(shown, InputDataset):
            for _, features in encode_features(encoder, dataset, pooled, device=resolve_device(device), **options):
                out.append(features.cpu().numpy())
        else:
            encoded = encode_rows(encoder, shown, pooled, device=resolve_device(device), **options)
            for mean in _tile_means(encoded, np.diff(shown.first)):
                out.append(mean[None])
        made = out.array()
    for row in range(0, len(made), _ROWS_AT_ONCE):
        finite = np.isfinite(made[row : row + _ROWS_AT_ONCE]).all(axis=1)
        if not finite.all():
            bad = table.frame["sample"][row + int(np.flatnonzero(~finite)[0])]
            raise DataError(f"the encoder gives no finite features for sample {bad!r}", "did the training diverge?")
    return made


def _tile_means(encoded: Iterable[tuple[slice, Tensor]], counts: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
    """Mean features of each row, from those of its tiles; row ``i`` has ``counts[i]`` tiles, which come in order."""
    row, seen, total = 0, 0, np.zeros(0)
    for _, features in encoded:
        for one in features.cpu().double().numpy():
            total = one if seen == 0 else total + one
            seen += 1
            if seen == counts[row]:
                yield total / seen
                row, seen = row + 1, 0


def _fingerprint(
    encoder: Encoder,
    preprocess: Preprocess,
    table: SampleTable,
    arrays: str,
    crop: Crop | None,
    tiling: Tiling | None,
) -> str:
    """SHA-256 of the weights, the preprocessing, the crop, the rows and their arrays."""
    digest = hashlib.sha256(encoder.name.encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    digest.update(json.dumps(preprocess_to_dict(preprocess), sort_keys=True).encode())
    columns = [name for name in ("sample", "path") if name in table.columns]
    for part in table.frame.select(columns).iter_slices(_ROWS_AT_ONCE):
        digest.update(json.dumps(part.rows()).encode())
    digest.update(arrays.encode())
    if crop is not None:
        described = {"crop": crop_to_dict(crop), "tiling": None if tiling is None else asdict(tiling)}
        digest.update(json.dumps(described, sort_keys=True).encode())
    return digest.hexdigest()


def _reuse(path: Path, fingerprint: str) -> pl.DataFrame | None:
    def kept() -> pl.DataFrame | None:
        return pl.read_parquet(path) if pl.read_parquet_metadata(path).get(_META_KEY) == fingerprint else None

    frame = read_guarded(kept, path)
    return None if isinstance(frame, Unreadable) else frame


def _keep(frame: pl.DataFrame, path: Path, fingerprint: str) -> None:
    # In another user's run, where nothing may be written, the embeddings are computed again the next time.
    if os.access(path.parent, os.W_OK):
        _write(frame, path, fingerprint)


def _write(frame: pl.DataFrame, path: Path, fingerprint: str) -> None:
    # Rows are packed a group at a time, in memory.
    options: dict[str, Any] = {"metadata": {_META_KEY: fingerprint}, "row_group_size": _ROWS_OF_A_GROUP}
    with write_errors(f"the embeddings {str(path)!r}"):
        write_whole(path, lambda part: frame.write_parquet(part, **options))
