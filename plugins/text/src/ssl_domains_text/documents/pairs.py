"""Pair samplers of the domain: a query and its relevant documents, with copies of these as positives, or ignored."""

from __future__ import annotations

from ssl_domains.errors import UsageError
from ssl_domains.extending import PairSampler
from ssl_domains.pairs.sampling.composition import Composition

__all__ = ["EXTRA_COLUMNS", "SAMPLERS", "paragraph", "relevance", "relevance_composition"]

EXTRA_COLUMNS = {
    "chunk": "cut long documents into pieces: scan --chunk 200",
    "split": "name the files of judgements by their side (qrels/train.tsv, qrels/test.tsv), or scan --split-by COLUMN",
}
"""Columns that a scan gives only with an option, or only of some files: name → how to get it."""


def relevance(
    file: str = "samples.relevance.parquet", links: str = "", as_positives: bool = False, negatives: str = ""
) -> str:
    """Positives are a query and a document that is relevant to it; judgements to be ignored are ignored.

    Args:
        file: The file of edges that the scan wrote, as seen from the working directory.
        links: Further links between a query and the copies of its relevant documents, from `text link-duplicates`: they
            are no negatives.
        as_positives: Whether these are positives too.
        negatives: Rule of the negative seats, such as ``linked('mined')`` for mined ones; without one, a query has the
            documents of the other queries in its batch as negatives.
    """
    if not file:
        raise UsageError("relevance: file is empty", "relevance(file='samples.relevance.parquet')")
    rule = f"linked({file!r}, grade='relevant')"
    ignored = f"linked({file!r}, grade='ignored')"
    if links and as_positives:
        rule = f"({rule} | linked({links!r}))"
    elif links:
        ignored = f"{ignored} | linked({links!r})"
    return f"{rule}.ignore({ignored})"


def relevance_composition(
    file: str = "samples.relevance.parquet", links: str = "", as_positives: bool = False, negatives: str = ""
) -> Composition:
    """Each slot of a batch has a query, one of its relevant documents, and with ``negatives`` a mined one."""
    return Composition("partner", seeds="query", negatives=negatives or None)


def paragraph(k: int = 1) -> str:
    """Positives are pieces of one document that are at most ``k`` pieces apart, as `scan --chunk` cut them.

    Args:
        k: Largest distance, in pieces.

    Raises:
        UsageError: When it is below 1.
    """
    if k < 1:
        raise UsageError(f"paragraph: k is {k}", "1 takes the piece before and the one behind")
    return f"same('id', 'side') & within('chunk', {k})"


SAMPLERS = (
    PairSampler(
        "relevance",
        "text",
        "positives are a query and a document that is relevant to it",
        relevance,
        relevance_composition,
    ),
    PairSampler("document", "text", "positives are pieces of one document (scan --chunk)", "same('id', 'side')"),
    PairSampler("paragraph", "text", "positives are neighbouring pieces of one document (scan --chunk)", paragraph),
    PairSampler("copies", "text", "positives have the same text", "same('content')"),
)
