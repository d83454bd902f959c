"""Embed a table with the frozen encoder of a run, and cache the embeddings in the run folder."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray

from ssl_domains.encoders import Encoder
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.step.encoding import encode_rows, pooled
from ssl_domains.errors import DataError, ResourceError
from ssl_domains.samples import SampleTable, write_whole
from ssl_domains.stores import ArrayStore, SampleArrays
from ssl_domains.views import InputDataset, Preprocess, extended, preprocess_to_dict

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["embed", "embed_rows"]

_META_KEY = "ssl_domains.embeddings"

Progress = Callable[[int, int], None]


def embed(
    run: Run,
    table: SampleTable,
    store: ArrayStore,
    *,
    out: Path | None = None,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> pl.DataFrame:
    """Pooled features of the frozen encoder for every decodable row of the table, in all splits.

    They are cached in ``embeddings.parquet`` of the run, and read from there while encoder, preprocessing and table
    are the same.

    Args:
        run: The run; its newest checkpoint is used.
        table: The samples.
        store: The arrays of the samples.
        out: A further file to write the embeddings to.
        batch_size: Number of rows in a batch.
        progress: Called with the number of rows done and of all rows.

    Returns:
        Columns ``sample`` and ``embedding`` (float32 array of the encoder's width), in the table's order.

    Raises:
        DataError: When no row could be decoded, or the encoder gives numbers that are not finite.
        ResourceError: When the disk is full.
    """
    encoder, preprocess = run.encoder(), run.preprocess
    samples = store.of(table)
    kept = run.folder / "embeddings.parquet"
    fingerprint = _fingerprint(encoder, preprocess, table, samples)
    frame = _reuse(kept, fingerprint)
    if frame is None:
        decoded = np.flatnonzero(samples.decoded)
        features = embed_rows(
            encoder, preprocess, table.take(decoded), store, device=run.config.train.device, batch_size=batch_size,
            workers=run.config.data.workers, progress=progress,
        )  # fmt: skip
        frame = pl.DataFrame(
            {
                "sample": table.frame["sample"][decoded],
                "embedding": pl.Series(features, dtype=pl.Array(pl.Float32, features.shape[1])),
            }
        )
        _write(frame, kept, fingerprint)
    if out is not None and out.resolve() != kept.resolve():
        out.parent.mkdir(parents=True, exist_ok=True)
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
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Pooled features float32 ``[n, F]`` of decodable rows, from the encoder in evaluation mode, without augmentation.

    Raises:
        DataError: When there is no row, or the encoder gives numbers that are not finite.
    """
    if not len(table):
        raise DataError("no row of the table could be decoded", "see the table's problems file")
    dataset = InputDataset(table, store, extended(preprocess, table, store), cache_gb=0)
    out = np.empty((len(table), encoder.num_features), dtype=np.float32)
    target_device = resolve_device(device)
    for rows, features in encode_rows(
        encoder, dataset, pooled, device=target_device, batch_size=batch_size, workers=workers, progress=progress
    ):
        out[rows] = features.cpu().numpy()
    if not np.isfinite(out).all():
        bad = table.frame["sample"][int(np.flatnonzero(~np.isfinite(out).all(axis=1))[0])]
        raise DataError(f"the encoder gives no finite features for sample {bad!r}", "did the training diverge?")
    return out


def _fingerprint(encoder: Encoder, preprocess: Preprocess, table: SampleTable, samples: SampleArrays) -> str:
    """SHA-256 of the weights, the preprocessing, the rows and what their arrays were made from."""
    digest = hashlib.sha256(encoder.name.encode())
    for name, tensor in sorted(encoder.state_dict().items()):
        digest.update(name.encode())
        digest.update(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    digest.update(json.dumps(preprocess_to_dict(preprocess), sort_keys=True).encode())
    columns = [name for name in ("sample", "path") if name in table.columns]
    digest.update(json.dumps(table.frame.select(columns).rows()).encode())
    digest.update(samples.fingerprint.encode())
    return digest.hexdigest()


def _reuse(path: Path, fingerprint: str) -> pl.DataFrame | None:
    try:
        stored = pl.read_parquet_metadata(path).get(_META_KEY)
        return pl.read_parquet(path) if stored == fingerprint else None
    except (OSError, pl.exceptions.PolarsError):
        return None


def _write(frame: pl.DataFrame, path: Path, fingerprint: str) -> None:
    options: dict[str, Any] = {"metadata": {_META_KEY: fingerprint}}
    try:
        write_whole(path, lambda part: frame.write_parquet(part, **options))
    except OSError as error:
        raise ResourceError(f"the embeddings can't be written: {error.strerror or error}", "free some space") from error
