"""What the sides of a split share: groups, contents, places, and what an encoder was pre-trained on."""

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
