"""Audit of a split: which groups, contents, places and voxels its sides share, with each other and with pre-training.

In: a sample table with a split column. Out: a `SplitAudit` with one `Finding` for each check and pair of sides.
"""

from ssl_domains.audit.audit import PlaceRegions, SplitAudit, audit_split
from ssl_domains.audit.coarser import cut_groups
from ssl_domains.audit.contents import Contents, NearPicture, array_contents, file_contents, scanned_contents
from ssl_domains.audit.decoding import Decode, decoding
from ssl_domains.audit.finding import Finding
from ssl_domains.audit.overlap import Overlap, overlap_of, smallest_gap, voxels_of
from ssl_domains.audit.sides import Side, held_out, sides_of

__all__ = [
    "Contents",
    "Decode",
    "Finding",
    "NearPicture",
    "Overlap",
    "PlaceRegions",
    "Side",
    "SplitAudit",
    "array_contents",
    "audit_split",
    "cut_groups",
    "decoding",
    "file_contents",
    "held_out",
    "overlap_of",
    "scanned_contents",
    "sides_of",
    "smallest_gap",
    "voxels_of",
]
