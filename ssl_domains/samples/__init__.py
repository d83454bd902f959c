"""Sample tables: one row for each sample, made by a reader's scan of source files.

Here are the table, the protocol of readers, reading and writing of table files, joins by column and group-disjoint
splits.
"""

from ssl_domains.samples.aspect_ratio import ASPECT_RATIO, with_aspect_ratio
from ssl_domains.samples.files import problems_path, read_frame, read_table, write_problems, write_table
from ssl_domains.samples.identifiers import IdentifierKey
from ssl_domains.samples.join import join_columns
from ssl_domains.samples.lazy import LazyArray, normal_slices
from ssl_domains.samples.read_error import ReadError
from ssl_domains.samples.reader import (
    FileReader,
    MaskReader,
    OpenReader,
    Problems,
    Reader,
    ScanResult,
    SizedReader,
)
from ssl_domains.samples.region import Region
from ssl_domains.samples.split import group_split, shuffle_columns
from ssl_domains.samples.table import SampleTable, TableMeta, as_frame
from ssl_domains.samples.writing import write_whole

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
    "SizedReader",
    "TableMeta",
    "as_frame",
    "group_split",
    "join_columns",
    "normal_slices",
    "problems_path",
    "read_frame",
    "read_table",
    "shuffle_columns",
    "with_aspect_ratio",
    "write_problems",
    "write_table",
    "write_whole",
]
