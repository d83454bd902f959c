"""The arm *frozen probe*: the linear or dense probe of the weights that are fine-tuned, on the same draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from ssl_domains.engine.processes.precision import resolve_device
from ssl_domains.evaluation import dense_features, embed, embed_rows, frame_features
from ssl_domains.finetuning.measuring.draws import ComparedDraw
from ssl_domains.finetuning.measuring.initial import InitialWeights
from ssl_domains.finetuning.measuring.material import Material
from ssl_domains.finetuning.measuring.scores import TestScores
from ssl_domains.probes import ConvHead, DeepLabHead, LinearProbe, run_dense_probe, run_probe
from ssl_domains.probes.transcripts import TranscriptFit, Transcripts, run_transcript_probe

__all__ = ["frozen_scores"]

Progress = Callable[[str, int, int], None]

_HEADS = {"conv": ConvHead, "deeplab": DeepLabHead}


def frozen_scores(
    material: Material,
    initial: InitialWeights,
    draws: Sequence[ComparedDraw],
    *,
    head: str = "conv",
    fit: TranscriptFit | None = None,
    progress: Progress | None = None,
) -> list[TestScores]:
    """Scores of the frozen probe on each draw: those of `probe_run`, `dense_probe_run` or `transcript_probe_run`.

    Args:
        material: The rows.
        initial: The weights.
        draws: The draws.
        head: Head of masks: ``conv`` or ``deeplab``.
        fit: How a head of transcripts is fitted.
        progress: Called with what is being done, and how much of it is done and to do.
    """
    if material.targets is not None:
        return _of_masks(material, initial, draws, head, progress)
    if isinstance(material.labels, Transcripts):
        return _of_transcripts(material, material.labels, initial, draws, fit, progress)
    x = _features(material, initial, progress)
    scores = []
    for done, draw in enumerate(draws, start=1):
        result = run_probe(
            LinearProbe(), x, material.labels, material.split.groups, draw.labels.rows, material.split.test,
            seed=draw.number,
        )  # fmt: skip
        scores.append(TestScores.of_probe(result))
        if progress is not None:
            progress("fitting frozen probes", done, len(draws))
    return scores


def _features(material: Material, initial: InitialWeights, progress: Progress | None) -> NDArray[np.floating]:
    shown = None if progress is None else lambda done, of: progress("embedding by the frozen encoder", done, of)
    device = initial.base.train.device
    if initial.run is None:
        return embed_rows(
            initial.encoder(), initial.preprocess, material.table, material.store, device=device, crop=initial.crop,
            progress=shown,
        )  # fmt: skip
    # The whole table, as `probe_run` embeds it: the embeddings are kept in the folder of the run.
    embeddings = embed(initial.run, material.whole, material.store, progress=shown)
    joined = material.table.frame.select("sample").join(embeddings, on="sample", how="left", maintain_order="left")
    return joined["embedding"].to_numpy()


def _of_transcripts(
    material: Material,
    transcripts: Transcripts,
    initial: InitialWeights,
    draws: Sequence[ComparedDraw],
    fit: TranscriptFit | None,
    progress: Progress | None,
) -> list[TestScores]:
    device = initial.base.train.device
    features = frame_features(
        initial.encoder(), initial.preprocess, material.table, material.store, device=device, crop=initial.crop,
        progress=None if progress is None else lambda done, of: progress("embedding by the frozen encoder", done, of),
    )  # fmt: skip
    scores = []
    for done, draw in enumerate(draws, start=1):
        result = run_transcript_probe(
            features, transcripts, material.split.groups, draw.labels.rows, material.split.test, fit=fit,
            seed=draw.number, device=resolve_device(device),
        )  # fmt: skip
        scores.append(TestScores.of_transcripts(result))
        if progress is not None:
            progress("fitting frozen probes", done, len(draws))
    return scores


def _of_masks(
    material: Material,
    initial: InitialWeights,
    draws: Sequence[ComparedDraw],
    head: str,
    progress: Progress | None,
) -> list[TestScores]:
    assert material.targets is not None
    # Only rows that are labelled in some draw or tested are encoded.
    used = np.flatnonzero(material.split.test | np.any([draw.labels.rows for draw in draws], axis=0))
    device = initial.base.train.device
    features = dense_features(
        initial.encoder(), initial.preprocess, material.table.take(used), material.store, device=device,
        progress=None if progress is None else lambda done, of: progress("embedding by the frozen encoder", done, of),
    )  # fmt: skip
    targets, groups, test = material.targets.take(used), material.split.groups[used], material.split.test[used]
    scores = []
    for done, draw in enumerate(draws, start=1):
        result = run_dense_probe(
            features, targets, groups, draw.labels.rows[used], test, head=_HEADS[head](), seed=draw.number,
            device=resolve_device(device),
        )  # fmt: skip
        scores.append(TestScores.of_masks(result))
        if progress is not None:
            progress("fitting frozen probes", done, len(draws))
    return scores
