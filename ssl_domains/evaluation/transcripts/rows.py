"""The rows of a table that have a transcript, an array and a side of the split; and why others are left out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ssl_domains.alphabets import alphabet_of
from ssl_domains.encoders import Encoder
from ssl_domains.errors import DataError
from ssl_domains.evaluation.labelled import labelled_rows
from ssl_domains.evaluation.split import EvaluationSplit
from ssl_domains.evaluation.transcripts.frames import input_lengths
from ssl_domains.probes.transcripts import (
    Alphabet,
    LabelProblems,
    Transcripts,
    frame_counts,
    label_problems,
    read_directions,
    read_transcripts,
    require_frames,
)
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, TableMeta
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Preprocess

__all__ = ["TranscribedRows", "transcribed_rows"]

_SHOWN = 100


@dataclass(frozen=True)
class TranscribedRows:
    """Rows with a transcript, an array and a side of the split. The transcripts of training rows fit their frames.

    Attributes:
        rows: int64 ``[m]``, their positions in the table.
        transcripts: Their transcripts, with the alphabet of the training rows or the one that was given.
        split: Sides and groups of these rows.
        dropped: Number of rows of the split without a transcript.
        left_out: Number of training rows that were left out, as nothing can be learnt from their transcripts.
        notes: Remarks, one line each: those of the split, the rows that were left out with the reason, the alphabet.
    """

    rows: NDArray[np.int64]
    transcripts: Transcripts
    split: EvaluationSplit
    dropped: int
    left_out: int
    notes: tuple[str, ...] = ()


def transcribed_rows(
    encoder: Encoder,
    preprocess: Preprocess,
    table: SampleTable,
    store: ArrayStore,
    column: str,
    *,
    group: str | None = None,
    trained: frozenset[str] = frozenset(),
    meta: TableMeta | None = None,
    alphabet: str | None = None,
) -> TranscribedRows:
    """Read a column of transcripts and the split of a table.

    Training rows are left out, and counted with the reason, when their transcript has a character outside the alphabet
    or needs more frames than the encoder gives for their input. Such test rows stay: they count as errors, and a note
    says so.

    Args:
        encoder: The encoder; it says how many frames an input has.
        preprocess: Its preprocessing.
        table: The samples. A column ``direction`` says which lines are written from right to left; without it, the
            letters of each transcript do.
        store: Their arrays.
        column: The column of transcripts, in reading order.
        group: Column of the groups; None takes the one that the table or the run was split by.
        trained: Sample ids of the pre-training rows.
        meta: Metadata of the table of the pre-training.
        alphabet: Characters that can be written, see `alphabet_of`; None takes those of the training rows.

    Raises:
        UsageError: When there is no such alphabet, when a column is missing or holds no text, or when the encoder gives
            no sequence of frames.
        DataError: When no row has a transcript, an array and a side; when nothing can be learnt from any of them.
    """
    require_frames(encoder)
    texts = table.label(column)
    every = read_transcripts(texts, read_directions(table.frame, texts))
    known = meta or TableMeta()
    found = labelled_rows(table, store, column, group=group, trained=trained, meta=known, labels=every)
    part, split = table.take(found.rows), found.split
    kept = every.take(found.rows)
    given = None if alphabet is None else Alphabet.given("".join(alphabet_of(alphabet)), kept.alphabet.form)
    kept = kept.with_alphabet(given or _alphabet_of(kept, split.train))
    frames = frame_counts(encoder, input_lengths(preprocess, part, store))
    names = part.frame["sample"].cast(str).to_list()
    trains, tests = (
        label_problems(kept.without(~side), frames, names, what)
        for side, what in ((split.train, "training row"), (split.test, "test row"))
    )
    fine = ~trains.rows
    if split.train.any() and not (split.train & fine).any():
        raise _nothing_fits(column, int(split.train.sum()), trains)
    # Characters that only transcripts which don't fit have can't be learnt either.
    kept = kept.take(fine) if given else kept.take(fine).with_alphabet(_alphabet_of(kept, split.train & fine))
    return TranscribedRows(
        rows=found.rows[fine],
        transcripts=kept,
        split=replace(split, train=split.train[fine], test=split.test[fine], groups=split.groups[fine]),
        dropped=found.dropped,
        left_out=int(trains.rows.sum()),
        notes=(
            *found.notes,
            *(f"left out: {note}" for note in trains.notes),
            *(f"scored as errors: {note}" for note in tests.notes),
            _about(kept, given is not None),
        ),
    )


def _alphabet_of(transcripts: Transcripts, rows: NDArray[np.bool_]) -> Alphabet:
    texts = [text for text, used in zip(transcripts.texts, rows.tolist(), strict=True) if used and text]
    return Alphabet.of(texts, transcripts.alphabet.form)


def _nothing_fits(column: str, rows: int, problems: LabelProblems) -> DataError:
    cause = f"nothing can be learnt from any of {plural(rows, 'training transcript')} {column!r}: "
    hint = "give the characters with --alphabet, or leave it out"
    if problems.too_long.any():
        hint = "take an encoder with a smaller stride along the line, wider inputs, or shorter pieces of text"
    return DataError(cause + "; ".join(problems.notes), hint)


def _about(transcripts: Transcripts, given: bool) -> str:
    alphabet = transcripts.alphabet
    shown = "".join(alphabet.characters[:_SHOWN]) + ("…" if len(alphabet) > _SHOWN else "")
    whose = "as given" if given else "those of the training rows"
    turned = int(transcripts.rtl.sum())
    lines = f"; {turned} of {plural(len(transcripts), 'line')} run from right to left, their labels turned"
    return (
        f"alphabet of {plural(len(alphabet), 'character')}, {whose}: {shown!r}; texts in the Unicode form "
        f"{alphabet.form}, white space as single spaces{lines if turned else ''}"
    )
