"""Made-up collections: documents whose words have the frequencies of a language, and queries of some of their words."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["Collection", "texts", "write_collection", "write_large"]

_WORDS = 20_000
_AT_ONCE = 20_000  # documents


@dataclass(frozen=True)
class Collection:
    """Documents, and a query for each.

    Attributes:
        documents: Their number.
        length: Words of a document.
        asked: Words of a query, all of them words of its document.
    """

    documents: int = 20_000
    length: int = 40
    asked: int = 6


def texts(collection: Collection) -> tuple[list[str], list[str]]:
    """The documents, and the query of each."""
    words = _vocabulary()
    rng = np.random.default_rng(1)
    drawn = _drawn(rng, collection.documents, collection.length)
    documents = [" ".join(one) for one in words[drawn].tolist()]
    places = np.argsort(rng.random(drawn.shape), axis=1)[:, : collection.asked]
    queries = [" ".join(one) for one in words[np.take_along_axis(drawn, places, axis=1)].tolist()]
    return documents, queries


def write_collection(folder: Path, collection: Collection) -> Path:
    """Write a collection as BEIR has it, with one relevant document for each query."""
    documents, queries = texts(collection)
    (folder / "qrels").mkdir(parents=True)
    for name, prefix, lines in (("corpus", "d", documents), ("queries", "q", queries)):
        rows = (json.dumps({"_id": f"{prefix}{number}", "text": text}) for number, text in enumerate(lines))
        (folder / f"{name}.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    judged = "".join(f"q{number}\td{number}\t1\n" for number in range(len(queries)))
    (folder / "qrels" / "train.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged, encoding="utf-8")
    return folder


def write_large(folder: Path, count: int, length: int = 40) -> Path:
    """Write a file of so many documents, some at a time."""
    folder.mkdir(parents=True)
    words, rng = _vocabulary(), np.random.default_rng(2)
    with (folder / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for start in range(0, count, _AT_ONCE):
            drawn = _drawn(rng, min(_AT_ONCE, count - start), length)
            file.writelines(
                f'{{"_id": "{start + place}", "title": "{one[0]}", "text": "{" ".join(one[1:])}"}}\n'
                for place, one in enumerate(words[drawn].tolist())
            )
    return folder


def _vocabulary() -> NDArray[np.object_]:
    """Different words of 3 to 9 letters, the frequent ones short, as in a language."""
    rng = np.random.default_rng(0)
    made: dict[str, None] = {}
    while len(made) < _WORDS:
        size = min(9, 3 + len(made) // (_WORDS // 7))
        made["".join(chr(97 + letter) for letter in rng.integers(0, 26, size))] = None
    return np.array(list(made), dtype=object)


def _drawn(rng: np.random.Generator, count: int, length: int) -> NDArray[np.int64]:
    """Numbers of words, the r-th with a probability near 1/r (Zipf), int64 ``[count, length]``."""
    uniform = rng.random((count, length))
    drawn: NDArray[np.int64] = np.minimum(np.exp(uniform * np.log(_WORDS)).astype(np.int64) - 1, _WORDS - 1)
    return drawn
