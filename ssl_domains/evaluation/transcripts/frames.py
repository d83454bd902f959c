"""Frames of the samples of a table: their features from a frozen encoder, and their number before it is run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ssl_domains.encoders import Encoder
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.step.encoding import encode_rows
from ssl_domains.engine.step.length_order import encoding_order
from ssl_domains.errors import DataError
from ssl_domains.inputs import Input
from ssl_domains.probes.transcripts import FrameFeatures
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Crop, InputDataset, Preprocess, extended
from ssl_domains.views.sample_inputs import SampleInputs

__all__ = ["frame_features", "input_lengths"]


def input_lengths(preprocess: Preprocess, table: SampleTable, store: ArrayStore) -> NDArray[np.int64]:
    """Length of each input along the side that the frames follow: the ragged one, or else the last one; int64 ``[n]``.

    A preprocess that says the sides of its inputs beforehand isn't run; another one makes every input.

    Args:
        preprocess: Turns an array into the input of an encoder.
        table: ``n`` decodable rows.
        store: Their arrays.
    """
    spec = preprocess.spec
    side = spec.ragged[-1] if spec.ragged else len(spec.space) - 1
    if (fixed := spec.space[side]) is not None:
        return np.full(len(table), fixed, dtype=np.int64)
    inputs = SampleInputs(table, store, extended(preprocess, table, store))
    sides = None if hasattr(preprocess, "finish") else inputs.sides()
    if sides is not None:
        return np.asarray(sides[:, side])
    lengths = []
    for row in range(len(table)):
        made = inputs.finish(inputs(row)[0].unit()).trimmed()
        lengths.append(made.values.shape[2 + side])
    return np.array(lengths, dtype=np.int64)


def frame_features(
    encoder: Encoder,
    preprocess: Preprocess,
    table: SampleTable,
    store: ArrayStore,
    *,
    device: str = "auto",
    batch_size: int = 64,
    workers: int = 0,
    crop: Crop | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FrameFeatures:
    """Features of the valid frames of decodable rows, from the encoder in evaluation mode, without augmentation.

    Rows of about the same length are encoded together.

    Args:
        encoder: An encoder of sequences, whose map is ``[B, F, T]``.
        preprocess: Its preprocessing.
        table: The rows.
        store: The arrays of the rows.
        device: Device that the encoder runs on.
        batch_size: Largest number of rows in a batch.
        workers: Worker processes that read arrays; 0 reads in this process.
        crop: Crop of the views that the encoder was trained on.
        progress: Called with the number of rows done and of all rows.

    Raises:
        DataError: When there is no row, or the encoder gives numbers that are not finite.
    """
    if not len(table):
        raise DataError("no row of the table could be decoded", "see the table's problems file")
    dataset = InputDataset(table, store, extended(preprocess, table, store), cache_gb=0, crop=crop)
    order = encoding_order(dataset, batch_size)
    samples: list[NDArray[np.float32]] = [np.empty(0, dtype=np.float32)] * len(order)
    for done, (frames, valid) in encode_rows(
        encoder, dataset, _frames, device=resolve_device(device), rows=torch.from_numpy(order), batch_size=batch_size,
        workers=workers, progress=progress,
    ):  # fmt: skip
        values, known = frames.cpu().numpy(), valid.cpu().numpy()
        for place, row in enumerate(order[done].tolist()):
            one = values[place][known[place]]
            if not np.isfinite(one).all():
                bad = table.frame["sample"][row]
                raise DataError(f"the encoder gives no finite features for sample {bad!r}", "did the training diverge?")
            samples[row] = one
    return FrameFeatures.of(samples, encoder.map_features)


def _frames(encoder: Encoder, x: Input) -> tuple[Tensor, Tensor]:
    """Features float32 ``[B, T, F]`` of the frames of a batch, and bool ``[B, T]``: the valid ones."""
    features = encoder(x.values, x.valid)
    frames = features.map.transpose(1, 2).float()
    valid = frames.new_ones(frames.shape[:2]).bool() if features.mask is None else features.mask[:, 0]
    return frames, valid
