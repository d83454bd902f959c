"""The corpus: all words of all texts as numbers, in one memory-mapped array, with the bounds of the sentences."""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.pairs.sampling.ask import Ask
from ssl_domains.samples import write_errors, write_whole

__all__ = ["Corpus", "WordBatch", "build_corpus"]

_TOKENS, _BOUNDS, _WORDS = "words.npy", "sentences.npy", "vocabulary.json"
_BLOCK = 1 << 20  # words that are numbered anew at a time
_SCALE = 1 << 16  # sentences whose words are written at a time


class WordBatch(NamedTuple):
    """Words of a batch.

    Attributes:
        words: Numbers of the words, int64 ``[n]``.
        sentences: Number of the sentence of each, int64 ``[n]``; those of one sentence stand side by side.
    """

    words: NDArray[np.int64]
    sentences: NDArray[np.int64]


@dataclass(frozen=True)
class Corpus:
    """A folder with the words of a collection.

    Attributes:
        ids: Number of each word, int32 ``[N]``, memory-mapped.
        bounds: Start of each sentence, and the end of the last, int64 ``[S + 1]``; no sentence is empty.
        words: The vocabulary, the most frequent word first.
        counts: How often each occurs, int64 ``[V]``.
        left_out: Occurrences of words that are not in the vocabulary.
    """

    ids: NDArray[np.int32]
    bounds: NDArray[np.int64]
    words: tuple[str, ...]
    counts: NDArray[np.int64]
    left_out: int

    def __len__(self) -> int:
        return len(self.ids)

    def batch(self, ask: Ask) -> WordBatch:
        """The words at the positions of a batch; see `ssl_domains_text.documents.words.batches`."""
        positions = ask.seats[0]
        sentences = np.searchsorted(self.bounds, positions, side="right")
        return WordBatch(self.ids[positions].astype(np.int64), sentences)

    @classmethod
    def open(cls, folder: Path) -> Corpus:
        """Open a corpus.

        Raises:
            DataError: When it is missing, incomplete or damaged.
        """
        try:
            kept = json.loads((folder / _WORDS).read_text(encoding="utf-8"))
            words, counts = tuple(map(str, kept["words"])), np.asarray(kept["counts"], dtype=np.int64)
            ids, bounds = np.load(folder / _TOKENS, mmap_mode="r"), np.load(folder / _BOUNDS)
            if len(words) != len(counts) or ids.dtype != np.int32 or len(ids) != bounds[-1] or counts.sum() != len(ids):
                raise ValueError("its files don't belong together")
            return cls(ids, bounds, words, counts, int(kept["left_out"]))
        except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
            cause = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
            raise DataError(f"the corpus {folder} can't be read: {cause}", "train again with another --out") from error

    @classmethod
    def is_complete(cls, folder: Path) -> bool:
        """Whether the folder holds a corpus; the vocabulary is written last."""
        return (folder / _WORDS).is_file()


def build_corpus(
    sentences: Iterable[list[str]],
    folder: Path,
    *,
    min_count: int,
    max_words: int,
    shuffle: int | None = None,
) -> Corpus:
    """Write a corpus. The sentences are read once; memory holds the vocabulary and the bounds, not the texts.

    Words that are too rare are left out as if they had never been there, as word2vec does.

    Args:
        sentences: The words of each sentence.
        folder: The folder to write.
        min_count: Occurrences of the rarest word.
        max_words: Size of the largest vocabulary.
        shuffle: Seed of a control: all words of the corpus change places at random, so that counts and lengths of
            sentences stay, and nothing else; None doesn't.

    Raises:
        DataError: When no word is left, or only one.
        ResourceError: When the disk is full.
    """
    raw = folder / "read.part"
    with write_errors(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            names, bounds = _read(sentences, raw)
            made = _numbered(raw, names, bounds, folder, min_count, max_words, shuffle)
        finally:
            raw.unlink(missing_ok=True)
    return made


def _read(sentences: Iterable[list[str]], raw: Path) -> tuple[list[str], NDArray[np.int64]]:
    """Write words by numbers in the order in which they are met; returns them and the bounds of the sentences."""
    numbers: dict[str, int] = {}
    bounds = array("q", [0])
    block = array("i")
    written = 0
    with raw.open("wb") as file:
        for sentence in sentences:
            block.extend([numbers.setdefault(word, len(numbers)) for word in sentence])
            bounds.append(written + len(block))
            if len(block) >= _SCALE:
                block.tofile(file)
                written += len(block)
                block = array("i")
        block.tofile(file)
    return list(numbers), np.frombuffer(bounds, dtype=np.int64)


def _numbered(
    raw: Path,
    names: list[str],
    bounds: NDArray[np.int64],
    folder: Path,
    min_count: int,
    max_words: int,
    shuffle: int | None,
) -> Corpus:
    """Number the words by their frequency, and leave the rare ones out."""
    counts = np.zeros(len(names), dtype=np.int64)
    for block in _blocks(raw):
        counts += np.bincount(block, minlength=len(names))
    order = sorted(np.flatnonzero(counts >= min_count).tolist(), key=lambda one: (-counts[one], names[one]))[:max_words]
    if len(order) < 2:
        cause = f"{len(order)} of {len(names):,} words occur {min_count} times"
        raise DataError(cause, "give more text, or use --set method.min_count=1")
    number = np.full(len(names), -1, dtype=np.int32)
    number[order] = np.arange(len(order), dtype=np.int32)
    kept = counts[order]
    size = int(kept.sum())

    new = np.zeros_like(bounds)

    def write(part: Path) -> None:
        ids = np.lib.format.open_memmap(part, mode="w+", dtype=np.int32, shape=(size,))
        start, base = 0, 0
        for block in _blocks(raw):
            made = number[block]
            there = made >= 0
            before = base + np.cumsum(there)
            first, last = np.searchsorted(bounds, (start, start + len(block)), side="right")
            new[first:last] = before[bounds[first:last] - start - 1]
            chosen = made[there]
            ids[base : base + len(chosen)] = chosen
            start, base = start + len(block), base + len(chosen)
        if shuffle is not None:
            ids[:] = ids[np.random.default_rng((shuffle, 0)).permutation(size)]
        ids.flush()

    write_whole(folder / _TOKENS, write)
    new = np.unique(new)

    def write_bounds(part: Path) -> None:
        with part.open("wb") as file:
            np.save(file, new)

    write_whole(folder / _BOUNDS, write_bounds)
    words = [names[one] for one in order]
    record = {"words": words, "counts": kept.tolist(), "left_out": int(counts.sum()) - size}
    text = json.dumps(record, ensure_ascii=False)
    write_whole(folder / _WORDS, lambda part: part.write_text(text, encoding="utf-8"))
    return Corpus.open(folder)


def _blocks(raw: Path) -> Iterator[NDArray[np.int32]]:
    size = raw.stat().st_size // 4
    for start in range(0, size, _BLOCK):
        yield np.fromfile(raw, dtype=np.int32, count=min(_BLOCK, size - start), offset=4 * start)
