"""A fine-tuned model: answers for new samples, from the run folder that the fine-tuning wrote."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ssl_domains.encoders import Encoder
from ssl_domains.engine import Run
from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.engine.step.encoding import encode_rows
from ssl_domains.engine.step.length_order import encoding_order
from ssl_domains.errors import DataError, UsageError
from ssl_domains.evaluation.dense_maps import map_windows
from ssl_domains.finetuning.heads import Head, TranscriptHead, create_head
from ssl_domains.finetuning.task import TASK_FILE, Task
from ssl_domains.inputs import Input
from ssl_domains.probes.transcripts import DIRECTION, TRANSCRIPTION, read_directions
from ssl_domains.samples import SampleTable, Transcribed
from ssl_domains.stores import ArrayStore
from ssl_domains.views import InputDataset, extended, map_sides, tiles_of, to_native

__all__ = ["FineTuned", "WholeModel"]

_PREFIX = "head."
_BATCH_PIXELS = 1 << 18  # of the pictures of a batch: bounds the memory of its features

Progress = Callable[[int, int], None]


class WholeModel(nn.Module):
    """Encoder and head as one module.

    Args:
        encoder: The encoder.
        head: The head.
    """

    def __init__(self, encoder: Encoder, head: Head) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Tensor:
        """Outputs of inputs ``[B, C, *space]``, pictures in [0, 1], with their validity ``[B, 1, *space]``.

        Returns:
            Logits ``[B, K]`` for classes and label sets, numbers ``[B, 1]`` in the label's unit for regression, logits
            ``[B, K, S, S]`` on the canvas for segmentation, K the `Task.channels`; log-probabilities ``[B, T, K + 1]``
            of the blank and the characters in each frame for transcription.
        """
        task = self.head.task
        outputs = self.head.outputs(self.encoder, Input(values, valid, self.encoder.takes.kind))
        return outputs * task.scale + task.centre if task.kind == "regression" else outputs


class FineTuned:
    """A fine-tuned run as a model.

    Args:
        run: The run; its newest checkpoint is used.
        task: What it predicts.
    """

    def __init__(self, run: Run, task: Task) -> None:
        self.run = run
        self.task = task

    @classmethod
    def open(cls, run: Run | str | Path) -> FineTuned:
        """Open a fine-tuned run.

        Args:
            run: The run, or its folder.

        Raises:
            UsageError: When the folder is no run, or the run was not trained with labels.
            DataError: When ``task.json`` is damaged.
        """
        run = run if isinstance(run, Run) else Run.open(run)
        if not (run.folder / TASK_FILE).is_file():
            cause = f"the run {run.folder.name!r} was not trained with labels: it has an encoder, but no head"
            started = f"ssl-domains {run.table_meta.domain or 'DOMAIN'} finetune SAMPLES --from"
            raise UsageError(cause, f"{started} {shlex.quote(str(run.folder))} --label COLUMN --out RUN2")
        with run.reading(TASK_FILE):
            task = Task.from_dict(json.loads((run.folder / TASK_FILE).read_text(encoding="utf-8")))
        return cls(run, task)

    def module(self) -> WholeModel:
        """Encoder and head with the weights of the newest checkpoint, on the CPU, in evaluation mode.

        Raises:
            UsageError: When there is no checkpoint, or its weights don't fit the architecture of this version.
            DataError: When it can't be read.
        """
        encoder = self.run.encoder()
        head = create_head(self.task, encoder)
        state = self.run.checkpoints.load()["method"]
        with self.run.checkpoints.damaged():
            weights = {name.removeprefix(_PREFIX): one for name, one in state.items() if name.startswith(_PREFIX)}
        try:
            head.load_state_dict(weights)
        except RuntimeError as error:
            cause = f"the head of the run {self.run.folder.name!r} has other weights than this version builds"
            raise UsageError(cause, "fine-tune it again, or use the version that trained it") from error
        return WholeModel(encoder, head).eval()

    def answers(
        self, table: SampleTable, store: ArrayStore, *, batch_size: int = 256, progress: Progress | None = None
    ) -> NDArray[np.float64]:
        """Answers for decodable rows, without augmentation.

        Args:
            table: ``n`` rows.
            store: Their arrays.
            batch_size: Largest number of rows in a batch.
            progress: Called with the number of rows done and of all rows.

        Returns:
            Probabilities ``[n, K]`` in the order of ``task.classes``, or numbers ``[n]`` in the label's unit.

        Raises:
            UsageError: For a model of masks, which gives `label_maps`, and of texts, which gives `transcripts`.
            DataError: When there is no row, or the model gives numbers that are not finite.
        """
        if self.task.kind == "segmentation":
            raise UsageError(f"the run {self.run.folder.name!r} predicts masks", "call label_maps")
        if self.task.kind == TRANSCRIPTION:
            raise UsageError(f"the run {self.run.folder.name!r} predicts texts", "call transcripts")
        model = self.module()
        rows, parts = [], []
        for done, outputs in self._outputs(model, table, store, batch_size, progress, by_length=True):
            rows.append(done)
            parts.append(model.head.answers(outputs))
        return np.concatenate(parts)[np.argsort(np.concatenate(rows))]

    def transcripts(
        self,
        table: SampleTable,
        store: ArrayStore,
        *,
        beam: int = 1,
        batch_size: int = 64,
        progress: Progress | None = None,
    ) -> list[Transcribed]:
        """Texts of decodable rows in reading order, with their probabilities.

        A line is written from right to left where the column ``direction`` of the table says so; without the column,
        where most of the training lines are.

        Args:
            table: The rows.
            store: Their arrays.
            beam: Number of prefixes that decoding keeps; 1 takes the best path.
            batch_size: Largest number of rows in a batch.
            progress: Called with the number of rows done and of all rows.

        Raises:
            UsageError: For a model that predicts no texts; when ``beam`` is below 1.
            DataError: When there is no row, or the model gives numbers that are not finite.
        """
        model = self.module()
        if not isinstance(model.head, TranscriptHead):
            raise UsageError(f"the run {self.run.folder.name!r} predicts {self.task.label!r}", "call answers")
        said = DIRECTION in table.columns
        rtl = read_directions(table.frame) if said else np.full(len(table), self.task.rtl)
        out: dict[int, Transcribed] = {}
        for rows, outputs in self._outputs(model, table, store, batch_size, progress, by_length=True):
            out |= zip(rows.tolist(), model.head.transcribed(outputs, rtl[rows].tolist(), beam), strict=True)
        return [out[row] for row in range(len(table))]

    def label_maps(
        self, table: SampleTable, store: ArrayStore, *, batch_size: int = 64, progress: Progress | None = None
    ) -> Iterator[tuple[int, NDArray[np.uint8]]]:
        """Predicted masks of decodable rows at the native shape of their pictures.

        Args:
            table: The rows.
            store: Their arrays.
            batch_size: Number of rows in a batch.
            progress: Called with the number of rows done and of all rows.

        Raises:
            UsageError: For a model of a label column, which gives `answers`.
            DataError: When there is no row, or the model gives numbers that are not finite.

        Yields:
            Position of the row in the table, and its mask uint8 ``[H, W]`` of the class numbers ``task.numbers``; 0 is
            the background, unless it is one of them.
        """
        numbers = np.array([*([0] if self.task.background else []), *self.task.numbers], dtype=np.uint8)
        for row, scores in self._scores(table, store, batch_size, progress):
            yield row, numbers[scores.argmax(dim=0).cpu().numpy()]

    def probability_maps(
        self, table: SampleTable, store: ArrayStore, *, batch_size: int | None = None, progress: Progress | None = None
    ) -> Iterator[tuple[int, NDArray[np.float32]]]:
        """Probabilities of the classes in each pixel of decodable rows, at the native shape of their pictures.

        Args:
            table: The rows.
            store: Their arrays.
            batch_size: Number of rows in a batch; None takes at most 64, and fewer of large pictures.
            progress: Called with the number of rows done and of all rows.

        Raises:
            UsageError: For a model of a label column, which gives `answers`.
            DataError: When there is no row, or the model gives numbers that are not finite.

        Yields:
            Position of the row in the table, and its probabilities float32 ``[K, H, W]``: the background, if there is
            one, then the classes in the order of ``task.classes``.
        """
        for row, scores in self._scores(table, store, batch_size, progress):
            yield row, scores.softmax(dim=0).cpu().numpy()

    def _scores(
        self, table: SampleTable, store: ArrayStore, batch_size: int | None, progress: Progress | None
    ) -> Iterator[tuple[int, Tensor]]:
        """Position of each row, and its logits ``[K, H, W]`` at the native shape.

        Rows that are larger than a crop of the run's views are scored tile by tile; where two tiles overlap, logits are
        averaged.
        """
        if self.task.kind != "segmentation":
            raise UsageError(f"the run {self.run.folder.name!r} predicts {self.task.label!r}", "call answers")
        canvas, placing = self.run.canvas, self.run.map_preprocess
        if batch_size is None:
            batch_size = max(1, min(64, _BATCH_PIXELS // canvas.size**2))
        crop = self.run.crop
        tiles = None if crop is None or not len(table) else tiles_of(crop, table, store.of(table))
        if tiles is None or not tiles.cut:
            yield from self._native_scores(table, store, batch_size, progress)
            return
        windows, sides = map_windows(placing, tiles), map_sides(placing, tiles.table, tiles.sides)
        last = np.append(tiles.sample[1:] != tiles.sample[:-1], True)
        shown = None if progress is None else _by_sample(progress, tiles.sample, len(table))
        total: Tensor | None = None
        for tile, scores in self._native_scores(tiles.table, store, batch_size, shown):
            if total is None:
                height, width = sides[tile].tolist()
                total, count = scores.new_zeros(len(scores), height, width), scores.new_zeros(height, width)
            top, bottom, left, right = windows[tile].tolist()
            total[:, top:bottom, left:right] += scores
            count[top:bottom, left:right] += 1
            if last[tile]:
                yield int(tiles.sample[tile]), total / count
                total = None

    def _native_scores(
        self, table: SampleTable, store: ArrayStore, batch_size: int, progress: Progress | None
    ) -> Iterator[tuple[int, Tensor]]:
        """The same for rows of which the encoder sees all."""
        canvas, sides = self.run.canvas, map_sides(self.run.map_preprocess, table, store.of(table).shapes())
        for rows, outputs in self._outputs(self.module(), table, store, batch_size, progress):
            for place, row in enumerate(rows.tolist()):
                height, width = (int(side) for side in sides[row])
                yield row, to_native(canvas, outputs[place : place + 1], height, width)[0]

    def _outputs(
        self,
        model: WholeModel,
        table: SampleTable,
        store: ArrayStore,
        batch_size: int,
        progress: Progress | None,
        *,
        by_length: bool = False,
    ) -> Iterator[tuple[NDArray[np.int64], Tensor]]:
        """Rows, int64 ``[B]``, and what the head gives for them: in the order of the table, or of the lengths."""
        if not len(table):
            raise DataError("no row of the table could be decoded", "see the table's problems file")
        run = self.run
        dataset = InputDataset(table, store, extended(run.preprocess, table, store), cache_gb=0, crop=run.crop)
        order = encoding_order(dataset, batch_size) if by_length else np.arange(len(table))
        for done, outputs in encode_rows(
            model, dataset, lambda whole, x: whole.head.outputs(whole.encoder, x), rows=torch.from_numpy(order),
            device=resolve_device(run.config.train.device), batch_size=batch_size, workers=run.config.data.workers,
            progress=progress,
        ):  # fmt: skip
            rows = order[done]
            finite = torch.isfinite(outputs.flatten(1)).all(dim=1)
            if not bool(finite.all()):
                bad = table.frame["sample"][int(rows[int(torch.nonzero(~finite)[0])])]
                raise DataError(f"the model gives no finite numbers for sample {bad!r}", "did the training diverge?")
            yield rows, outputs


def _by_sample(progress: Progress, sample: NDArray[np.int64], count: int) -> Progress:
    """Progress in samples, of a report in tiles."""
    return lambda done, of: progress(count if done == of else int(sample[done]), count)
