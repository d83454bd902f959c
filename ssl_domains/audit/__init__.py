"""Audit of a split: which groups, file contents and places its sides share, with each other and with pre-training.

In: a sample table with a split column. Out: a `SplitAudit` with one `Finding` for each check and pair of sides.
"""

from ssl_domains.audit.audit import SplitAudit, audit_split
from ssl_domains.audit.contents import Contents, Decode, array_contents, decoding, file_contents
from ssl_domains.audit.finding import Finding
from ssl_domains.audit.sides import Side, held_out, sides_of

__all__ = [
    "Contents",
    "Decode",
    "Finding",
    "Side",
    "SplitAudit",
    "array_contents",
    "audit_split",
    "decoding",
    "file_contents",
    "held_out",
    "sides_of",
]
