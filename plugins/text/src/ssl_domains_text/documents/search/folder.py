"""An index in a folder: the words of a collection, and the vectors of a run for it; made once, and searched often."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import DataError, UsageError
from ssl_domains.probes.ranking import fused, ranked
from ssl_domains.quantities import plural
from ssl_domains.samples import SampleTable, read_table, write_portable, write_whole
from ssl_domains_text.documents.reader import DocumentReader, absent_file, text_of_row
from ssl_domains_text.documents.search.analysis import Analysis
from ssl_domains_text.documents.search.bm25 import WordIndex
from ssl_domains_text.documents.search.exact import nearest
from ssl_domains_text.documents.search.fusion import Search, document_hits
from ssl_domains_text.documents.search.ivf import EXACT_BELOW, ListIndex

if TYPE_CHECKING:
    from ssl_domains.engine import Run
    from ssl_domains.stores import ArrayStore

__all__ = ["By", "SavedIndex", "build_index"]

By = Literal["words", "vectors", "both"]

_STATE, _ROWS, _WORDS, _VECTORS, _LISTS = "index.json", "documents.parquet", "words", "vectors.npy", "lists.faiss"
_AT_ONCE = 1 << 16  # vectors
_DEPTH = 100  # hits of each search that are added up
_FOUND = {"query": pl.String, "document": pl.String, "score": pl.Float32, "piece": pl.String}


@dataclass(frozen=True, eq=False)
class SavedIndex:
    """An index that was read from its folder.

    Attributes:
        folder: The folder.
        table: The documents, in descending order of their ids: of equal scores the first one counts.
        words: Index of their words.
        run: Folder of the run that made their vectors; None without vectors.
        weights: Hash of the encoder and the preprocessing that made the vectors; None without vectors, and for an index
            of an earlier version, which has none.
    """

    folder: Path
    table: SampleTable
    words: WordIndex
    run: Path | None
    weights: str | None = None

    @classmethod
    def open(cls, folder: Path) -> SavedIndex:
        """Open the index in a folder, or the one in the folder ``index`` of a run.

        Raises:
            UsageError: When there is none.
            DataError: When it is damaged, or the texts of its documents are no longer where they were.
        """
        place = folder if (folder / _STATE).is_file() else folder / "index"
        if not (place / _STATE).is_file():
            raise UsageError(
                f"there is no index in {folder.name!r}", "ssl-domains text index SAMPLES --run RUN makes one"
            )
        try:
            state = json.loads((place / _STATE).read_text(encoding="utf-8"))
            run = None if state["run"] is None else (place / state["run"]).resolve()
            weights = state.get("weights")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"the index {place.name!r} is damaged: {error}", "make it again: text index") from error
        table = read_table(place / _ROWS)
        if (absent := absent_file(table.frame)) is not None:
            cause = f"the texts of the index {place.name!r} are gone: {absent.name} is not there"
            raise DataError(cause, "the table was scanned anew or moved: make the index again with text index")
        return cls(place, table, WordIndex.load(place / _WORDS), run, weights)

    def require_encoder(self) -> None:
        """Refuse a search by vectors whose encoder is no longer the one that made them.

        Raises:
            DataError: When the run was trained again, or further, since the index was made.
        """
        if self.run is None or self.weights is None:
            return
        from ssl_domains.engine import Run

        if encoder_code(Run.open(self.run)) != self.weights:
            cause = f"the run {self.run.name!r} has other weights than those that made the vectors of this index"
            raise DataError(cause, f"make it again: ssl-domains text index SAMPLES --run {self.run}")

    def search(
        self,
        queries: Sequence[tuple[str, str]],
        k: int = 10,
        by: By | None = None,
        vectors: NDArray[np.float32] | None = None,
        say: Callable[[str], None] | None = None,
        without: pl.DataFrame | None = None,
    ) -> pl.DataFrame:
        """The best k documents of each query, as a run of source ids. A blank query has no hit.

        Args:
            queries: (id, text) of each.
            k: Hits of a query.
            by: ``"words"``, ``"vectors"`` or ``"both"`` (the sum of z-scores); None takes both where there are vectors.
            vectors: Vectors of the queries, float32 ``[q, F]``; None encodes their texts.
            say: Takes what is to be said of the search.
            without: Columns ``query`` and ``document``: pairs that are taken out before a ranking is cut at k.

        Returns:
            Columns ``query``, ``document``, ``score``, and ``piece``: the sample of the document's best piece, by the
            vectors where it is among their hits.

        Raises:
            UsageError: When vectors are asked for, and the index has none.
            DataError: When the run has other weights than those that made the vectors.
        """
        by = by or ("words" if self.run is None else "both")
        if by != "words" and self.run is None:
            raise UsageError("this index has no vectors", "ssl-domains text index SAMPLES --run RUN makes one that has")
        worded = [row for row, (_, text) in enumerate(queries) if text.strip()]
        queries = [queries[row] for row in worded]
        if not queries:
            return pl.DataFrame(schema=_FOUND)
        names, depth, runs = [name for name, _ in queries], max(k, _DEPTH), []
        if by != "vectors":

            def by_words(rows: NDArray[np.int64], count: int) -> pl.DataFrame:
                return self.words.search([queries[row] for row in rows], count)

            runs.append(document_hits(by_words, names, self.table.frame, depth, without))
        if by != "words":
            self.require_encoder()
            asked = self._encoded([text for _, text in queries]) if vectors is None else vectors[worded]
            runs.append(document_hits(self._nearest(names, asked, say), names, self.table.frame, depth, without))
        hits = fused(runs, k) if len(runs) > 1 else ranked(runs[0], k).drop("rank")
        pieces = pl.concat([run.select("query", "document", "piece") for run in reversed(runs)])
        pieces = pieces.unique(["query", "document"], keep="first", maintain_order=True)
        return hits.join(pieces, on=["query", "document"], how="left", maintain_order="left")

    def text(self, piece: str) -> str:
        """The text of a document or of a piece, by its sample."""
        rows = self.table.frame.filter(pl.col("sample") == piece)
        return text_of_row(DocumentReader(), rows.row(0, named=True))

    def _encoded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        import torch

        from ssl_domains.evaluation import load
        from ssl_domains.inputs import Input
        from ssl_domains.views import finished

        assert self.run is not None
        encoder, preprocess = load(self.run)
        made: list[Any] = [preprocess(np.frombuffer(text.encode("utf-8", "replace"), np.uint8)) for text in texts]
        batch = finished(preprocess, Input.cat(made))
        with torch.no_grad():
            features = encoder(batch.values, batch.valid).pooled.float().numpy()
        return np.asarray(features, dtype=np.float32)

    def _nearest(self, names: Sequence[str], asked: NDArray[np.float32], say: Callable[[str], None] | None) -> Search:
        """The search by vectors, for queries of these names and vectors."""
        stored = np.load(self.folder / _VECTORS, mmap_mode="r")
        samples, queries = self.table.frame["sample"], unit(asked)
        lists = ListIndex.load(self.folder / _LISTS) if (self.folder / _LISTS).is_file() else None
        for name, count in ((_LISTS, len(stored) if lists is None else lists.size), (_ROWS, len(samples))):
            if count != len(stored):
                what = "vectors" if name == _LISTS else "rows"
                cause = f"{name} has {count:,} {what}, and {_VECTORS} {len(stored):,}"
                raise DataError(cause, "make the index again: text index --run")

        def search(rows: NDArray[np.int64], k: int) -> pl.DataFrame:
            if lists is None:
                scores, positions = nearest(queries[rows], stored, k)
            else:
                found = lists.search(queries[rows], k)
                scores, positions = found.scores, found.positions
                if say is not None and found.note():
                    say(found.note())
            return pl.DataFrame(
                {
                    "query": np.repeat(np.array(names, dtype=object)[rows], positions.shape[1]).tolist(),
                    "document": samples.gather(positions.ravel()),
                    "score": scores.ravel(),
                },
                schema_overrides={"query": pl.String},
            )

        return search


def build_index(
    table: SampleTable, folder: Path, analysis: Analysis, run: Run | None = None, store: ArrayStore | None = None
) -> tuple[SavedIndex, list[str]]:
    """Make an index of the documents of a table, and write it to a folder.

    Args:
        table: The table; its rows of the side ``query`` are left out.
        folder: The folder; its old index is replaced.
        analysis: How texts become terms.
        run: Run whose encoder makes the vectors; None for words alone.
        store: Arrays of the table, for the vectors.

    Raises:
        DataError: When the table has no document.
    """
    documents = table.frame.filter(pl.col("side") == "document").sort("id", "sample", descending=True)
    if not len(documents):
        raise DataError(
            "the table has no document", "scan a collection: ssl-domains text scan SOURCE -o samples.parquet"
        )
    rows = replace(table, frame=documents)
    folder.mkdir(parents=True, exist_ok=True)
    words = WordIndex.build(documents["sample"].to_list(), _texts(documents), analysis)
    words.save(folder / _WORDS)
    write_portable(rows, folder / _ROWS)
    notes, what = [f"words: {analysis.words()}"], "document" if documents["id"].is_unique().all() else "piece"
    if words.unindexed:
        notes.append(f"{plural(words.unindexed, f'{what} has', f'{what}s have')} no term: no query finds them by words")
    if run is not None and store is not None:
        from ssl_domains.evaluation import embed

        frame = embed(run, rows, store)
        if len(frame) != len(documents):
            cause = f"the texts of {len(documents) - len(frame):,} of {len(documents):,} documents can't be read"
            raise DataError(cause, "scan again: ssl-domains text scan SOURCE -o samples.parquet")
        vectors = _write_vectors(frame["embedding"].to_numpy(), folder / _VECTORS)
        notes.append(f"vectors: {len(frame):,} of {vectors.shape[1]} numbers, by {run.folder.name}")
        notes += _write_lists(vectors, folder / _LISTS)
    else:
        for name in (_VECTORS, _LISTS):
            (folder / name).unlink(missing_ok=True)
    state: dict[str, Any] = {"format": 1, "run": None}
    if run is not None:
        state["run"] = os.path.relpath(run.folder.resolve(), folder.resolve())
        state |= {"step": run.step, "weights": encoder_code(run)}
    (folder / _STATE).write_text(json.dumps(state) + "\n", encoding="utf-8")
    return SavedIndex.open(folder), notes


def encoder_code(run: Run) -> str:
    """Hash of the weights of a run's encoder and of its preprocessing: equal where the same text has the same vector.

    Raises:
        UsageError: When the run has no checkpoint.
        DataError: When it can't be read.
    """
    import torch

    from ssl_domains.views import preprocess_to_dict

    digest = hashlib.sha256(json.dumps(preprocess_to_dict(run.preprocess), sort_keys=True).encode())
    for name, tensor in sorted(run.encoder_state().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _write_vectors(x: NDArray[np.float32], path: Path) -> NDArray[np.float32]:
    """Write vectors of length 1, some at a time; returns them mapped."""

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": np.dtype(np.float32).str, "fortran_order": False, "shape": x.shape}
            )
            for start in range(0, len(x), _AT_ONCE):
                file.write(np.ascontiguousarray(unit(x[start : start + _AT_ONCE])).data.cast("B"))

    write_whole(path, write)
    made: NDArray[np.float32] = np.load(path, mmap_mode="r")
    return made


def _write_lists(vectors: NDArray[np.float32], path: Path) -> list[str]:
    """Write the lists of a large collection; what to say of them. A small one is searched exactly, and has none."""
    if len(vectors) < EXACT_BELOW:
        path.unlink(missing_ok=True)
        return []
    lists = ListIndex(vectors)
    found = lists.recall(vectors)
    lists.save(path)
    return [
        f"vectors in {plural(lists.nlist, 'list')} (IVF), of which a search looks at {lists.nprobe:,}: recall@10 "
        f"{found:.3f} against exact search, over 256 documents as queries"
    ]


def unit(x: NDArray[Any]) -> NDArray[np.float32]:
    """Vectors of length 1, so that inner products are cosines."""
    values = np.asarray(x, dtype=np.float32)
    length = np.maximum(np.linalg.norm(values, axis=1, keepdims=True), np.float32(1e-12))
    return np.asarray(values / length, dtype=np.float32)


def _texts(documents: pl.DataFrame) -> Iterable[str]:
    reader = DocumentReader()
    columns = [
        name
        for name in ("sample", "path", "copy_path", "read_as", "line", "side", "region")
        if name in documents.columns
    ]
    for part in documents.select(columns).iter_slices(10_000):
        for row in part.iter_rows(named=True):
            yield text_of_row(reader, row)
