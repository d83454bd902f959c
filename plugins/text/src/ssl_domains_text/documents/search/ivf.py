"""Approximate search by lists (IVF) for large collections: vectors in clusters, of which the nearest are searched.

Jégou, Douze & Schmid 2011, Product Quantization for Nearest Neighbor Search (the inverted file). The package faiss does
the work, and fills what it can't find with position −1, which in NumPy is the last document. Here it never comes out.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import DataError
from ssl_domains.quantities import plural
from ssl_domains.samples import write_whole
from ssl_domains_text.documents.search.exact import nearest

__all__ = ["EXACT_BELOW", "ListIndex", "Neighbours"]

EXACT_BELOW = 200_000
"""Vectors below which exact search is as fast, and preferred."""


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The hits of a search by lists.

    Attributes:
        scores: float32 ``[q, k]``, descending; k is at most the number of vectors.
        positions: int64 ``[q, k]``, each a position of a vector.
        short: Queries for which the searched lists held fewer than k vectors.
        nprobe: Lists that were searched for these, in the end; those of all queries where none was short.
    """

    scores: NDArray[np.float32]
    positions: NDArray[np.int64]
    short: int
    nprobe: int

    def note(self) -> str:
        """What to say of queries whose lists were too short; empty without one."""
        if not self.short:
            return ""
        some = plural(self.short, "query", "queries")
        return (
            f"the searched lists held too few vectors for {some}: {plural(self.nprobe, 'list')} were searched for them"
        )


class ListIndex:
    """An inverted file over vectors, by inner product.

    Args:
        vectors: float32 ``[n, d]``; of unit length for the cosine.
        nlist: Number of lists; None for about 4·√n.
        nprobe: Lists that are searched for a query; None for about √nlist.
        seed: Seed of the clustering.
    """

    def __init__(
        self, vectors: NDArray[Any], nlist: int | None = None, nprobe: int | None = None, seed: int = 0
    ) -> None:
        import faiss

        self.size = len(vectors)
        self.nlist = nlist or max(1, min(round(4 * self.size**0.5), self.size // 39 or 1))
        self.nprobe = nprobe or max(1, round(self.nlist**0.5))
        # Lists by distance: with inner products a long centroid would draw most vectors into its list.
        quantizer = faiss.IndexFlatL2(vectors.shape[1])
        self._index = faiss.IndexIVFFlat(quantizer, vectors.shape[1], self.nlist, faiss.METRIC_INNER_PRODUCT)
        self._index.cp.seed = seed
        self._index.cp.min_points_per_centroid = 1  # few vectors are no fault; it would be printed
        chosen = np.random.default_rng(seed).permutation(self.size)[: 256 * self.nlist]
        self._index.train(np.ascontiguousarray(vectors[np.sort(chosen)], dtype=np.float32))
        for start in range(0, self.size, 1 << 16):
            self._index.add(np.ascontiguousarray(vectors[start : start + (1 << 16)], dtype=np.float32))

    def save(self, path: Path) -> None:
        """Write lists, vectors and settings to a file, as faiss does.

        Raises:
            OSError: When the disk is full.
        """
        import faiss

        def write(part: Path) -> None:
            try:
                faiss.write_index(self._index, str(part))
            except RuntimeError as error:  # of faiss, whatever the cause
                raise OSError(errno.ENOSPC, str(error)) from error

        self._index.nprobe = self.nprobe  # a search may have looked at more lists
        write_whole(path, write)

    @classmethod
    def load(cls, path: Path) -> ListIndex:
        """Read an index that `save` wrote; its vectors stay on the disk until a list is searched.

        Raises:
            DataError: When the file is missing or damaged.
        """
        import faiss

        try:
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY)
        except RuntimeError as error:
            raise DataError(f"{path.name} holds no index of vectors", "make it again: text index --run") from error
        if not isinstance(index, faiss.IndexIVFFlat):
            raise DataError(f"{path.name} holds another kind of index", "make it again: text index --run")
        made = cls.__new__(cls)
        made._index, made.size, made.nlist, made.nprobe = index, int(index.ntotal), int(index.nlist), int(index.nprobe)
        return made

    def recall(self, vectors: NDArray[Any], k: int = 10, queries: int = 256) -> float:
        """Share of the nearest vectors by exact search that this search finds, for some of the vectors as queries.

        Args:
            vectors: The vectors of the index, ``[n, d]``.
            k: Hits of a query.
            queries: Number of vectors, at equal distances in their order, that are searched for.
        """
        asked = np.asarray(vectors[np.linspace(0, self.size - 1, min(queries, self.size)).astype(np.int64)])
        exact, found = nearest(asked, vectors, k)[1], self.search(asked, k).positions
        shared = sum(len(np.intersect1d(*both)) for both in zip(exact, found, strict=True))
        return float(shared / exact.size)

    def search(self, queries: NDArray[Any], k: int) -> Neighbours:
        """The k nearest vectors of each query, always k: where the lists are too short, more of them are searched.

        In the end all lists are searched for such a query, which is exact search.

        Args:
            queries: ``[q, d]``.
            k: Number of hits, at most n.
        """
        k = min(k, self.size)
        asked = np.ascontiguousarray(queries, dtype=np.float32)
        scores = np.zeros((len(asked), k), dtype=np.float32)
        positions = np.zeros((len(asked), k), dtype=np.int64)
        rows, nprobe, short = np.arange(len(asked)), min(self.nprobe, self.nlist), 0
        while len(rows) and k:
            self._index.nprobe = nprobe
            scores[rows], positions[rows] = self._index.search(asked[rows], k)
            rows = rows[(positions[rows] < 0).any(axis=1)]
            short = max(short, len(rows))
            if nprobe == self.nlist:
                break
            if len(rows):
                nprobe = min(2 * nprobe, self.nlist)
        assert not (positions < 0).any(), "all lists together hold all vectors"
        return Neighbours(scores, positions, short, nprobe)
