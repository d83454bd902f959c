"""Sample tables: one row for each sample, made by a reader's scan of source files.

Here are the table, the protocol of readers, reading and writing of table files, joins by column and group-disjoint
splits.
"""

from ssl_domains.samples.aspect_ratio import ASPECT_RATIO, with_aspect_ratio
from ssl_domains.samples.files import problems_path, read_frame, read_table, write_problems, write_table
from ssl_domains.samples.identifiers import IdentifierKey, comparison_note, outdated_note
from ssl_domains.samples.join import join_columns
from ssl_domains.samples.lazy import LazyArray, normal_slices
from ssl_domains.samples.read_error import ReadError
from ssl_domains.samples.reader import (
    FileReader,
    MaskReader,
    OpenReader,
    Reader,
    ScanResult,
    SizedReader,
)
from ssl_domains.samples.region import Region
from ssl_domains.samples.scanning.each_file import each_file
from ssl_domains.samples.scanning.expansion import expanded_gzip, expansion_limit, require_expandable
from ssl_domains.samples.scanning.guard import Unreadable, cause_of, read_guarded
from ssl_domains.samples.scanning.problems import Problems
from ssl_domains.samples.scanning.session import ScanSession, scan_session
from ssl_domains.samples.scanning.walk import walk
from ssl_domains.samples.split import group_split, shuffle_columns
from ssl_domains.samples.table import SampleTable, TableMeta, as_frame
from ssl_domains.samples.writing import require_target, write_whole

__all__ = [
    "ASPECT_RATIO",
    "FileReader",
    "IdentifierKey",
    "LazyArray",
    "MaskReader",
    "OpenReader",
    "Problems",
    "ReadError",
    "Reader",
    "Region",
    "SampleTable",
    "ScanResult",
    "ScanSession",
    "SizedReader",
    "TableMeta",
    "Unreadable",
    "as_frame",
    "cause_of",
    "comparison_note",
    "each_file",
    "expanded_gzip",
    "expansion_limit",
    "group_split",
    "join_columns",
    "normal_slices",
    "outdated_note",
    "problems_path",
    "read_frame",
    "read_guarded",
    "read_table",
    "require_expandable",
    "require_target",
    "scan_session",
    "shuffle_columns",
    "walk",
    "with_aspect_ratio",
    "write_problems",
    "write_table",
    "write_whole",
]
