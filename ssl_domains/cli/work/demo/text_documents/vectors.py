"""Compares the vectors of an exported folder in sentence-transformers with those of the run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.work.demo.text_documents.lines import DocumentLines
from ssl_domains.errors import DataError

if TYPE_CHECKING:
    from ssl_domains.extending import Domain

__all__ = ["MOST", "Compared", "compare_vectors"]

MOST = 1e-5
"""Largest difference of two numbers of a vector."""


@dataclass(frozen=True)
class Compared:
    """What a comparison found.

    Attributes:
        texts: Number of texts.
        largest: Largest difference of two numbers.
    """

    texts: int
    largest: float


def compare_vectors(lines: DocumentLines, domain: Domain, run: Path) -> Compared:
    """Encode all texts of the sample table by both.

    Args:
        lines: The command lines, which know the folders.
        domain: The domain of documents, which reads the texts.
        run: The run that was exported.

    Raises:
        DataError: When a number differs by more than `MOST`.
    """
    from ssl_domains.cli.work.demo.text_documents.texts import sample_texts
    from ssl_domains.engine import Run
    from ssl_domains.evaluation import embed_rows
    from ssl_domains.evaluation.sentence_models import SentenceModel
    from ssl_domains.samples import read_table
    from ssl_domains.stores import ArrayStore, default_store

    table, store = read_table(lines.samples), ArrayStore.open(default_store(lines.samples), domain.reader())
    opened = Run.open(run)
    expected = embed_rows(opened.encoder().eval(), opened.preprocess, table, store, device="cpu")
    texts = sample_texts(table, store)
    found = SentenceModel(lines.exported)(texts).numpy()
    largest = float(abs(found - expected).max())
    if largest > MOST:
        raise DataError(f"vectors of the export differ by {largest:.1g}", "this is a fault of the export")
    return Compared(len(texts), largest)
