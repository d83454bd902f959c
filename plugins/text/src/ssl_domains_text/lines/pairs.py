"""Pair samplers of the domain: which lines are told apart from a line, by writer, page or book."""

from __future__ import annotations

from ssl_domains.errors import UsageError
from ssl_domains.extending import PairSampler

__all__ = ["EXTRA_COLUMNS", "SAMPLERS", "ignore_same"]

EXTRA_COLUMNS = {
    "writer": "scan --folders writer names it by folders, or scan --join TABLE --on path=file by a table",
    "book": "scan --folders book names it by folders, or scan --join TABLE --on path=file by a table",
    "page": "it comes with PAGE-XML, ALTO and IAM; else scan --folders book/page, or scan --join TABLE --on path=file",
    "direction": "the scan gives it where a transcript is written from right to left",
    "segmentation": "it comes with the lists of IAM",
}
"""Columns that a scan gives only with an option, or only of some sources: name → how to get it."""


def ignore_same(by: str = "writer") -> str:
    """Positives are views of one line; lines that share the writer are neither pulled nor pushed.

    Two lines of a writer are often alike in their letters, so that pushing them apart teaches what is no difference.
    Places of the line itself stay negatives of each other with the method seqclr.

    Args:
        by: Column whose equal values are ignored.
    """
    if not isinstance(by, str) or not by:
        raise UsageError(f"ignore_same: by={by!r} names no column", "write ignore_same(by='writer')")
    return f"none.ignore((same({by!r}) & ~same('sample')).across_parts())"


SAMPLERS = (
    PairSampler(
        "ignore_same", "lines", "positives are views of one line; lines of its writer are ignored", ignore_same
    ),
    PairSampler(
        "within_writer",
        "lines",
        "positives are views of one line; only lines of its writer are negatives",
        "none.ignore((~same('writer')).across_parts())",
    ),
    PairSampler("writer", "lines", "positives share a writer: teaches hands, not letters", "same('writer')"),
)
