"""Sample tables: one row for each sample, made by a reader's scan of source files.

Here are the table, the protocol of readers, reading and writing of table files, joins by column and group-disjoint
splits.
"""

from ssl_domains.samples.aspect_ratio import ASPECT_RATIO, with_aspect_ratio
from ssl_domains.samples.files import (
    problems_path,
    read_frame,
    read_noted_frame,
    read_noted_table,
    read_table,
    write_portable,
    write_problems,
    write_table,
)
from ssl_domains.samples.identifiers import IdentifierKey, outdated_note
from ssl_domains.samples.identifying import looks_identifying
from ssl_domains.samples.join import Join, join_columns, join_noted, names_of_join
from ssl_domains.samples.lazy import LazyArray, boxes_of, normal_slices, read_boxes
from ssl_domains.samples.mapped_file import mapped_file
from ssl_domains.samples.read_error import ReadError
from ssl_domains.samples.reader import (
    FileReader,
    MaskReader,
    OpenReader,
    Reader,
    ScanResult,
    SizedReader,
    TableReader,
)
from ssl_domains.samples.region import Region
from ssl_domains.samples.scanning.each_file import each_file
from ssl_domains.samples.scanning.expansion import expanded_gzip, expansion_limit, require_expandable
from ssl_domains.samples.scanning.folder_names import folder_columns, folder_note
from ssl_domains.samples.scanning.guard import Unreadable, cause_of, read_guarded
from ssl_domains.samples.scanning.problems import Problems
from ssl_domains.samples.scanning.results import is_sample_table
from ssl_domains.samples.scanning.session import ScanSession, current_session, scan_session
from ssl_domains.samples.scanning.table_files import TableFiles
from ssl_domains.samples.scanning.walk import walk
from ssl_domains.samples.split import balanced_parts, fold_split, group_split, shuffle_columns
from ssl_domains.samples.table import SampleTable, TableMeta, as_frame
from ssl_domains.samples.tables.conditions import matching_rows
from ssl_domains.samples.tables.contents import queries_among, whole_content
from ssl_domains.samples.tables.description import TableDescription, describe_table, undecoded_hint
from ssl_domains.samples.tables.metadata import is_sidecar, meta_from_dict, meta_to_dict, sidecar_meta, sidecar_path
from ssl_domains.samples.tables.places import absolute_from, missing_files
from ssl_domains.samples.tables.regions import Regions, regions_of
from ssl_domains.samples.tables.unite import united
from ssl_domains.samples.writing import (
    TextFile,
    TextFiles,
    TextPlan,
    Transcribed,
    alone_in,
    only_one,
    require_folder,
    require_target,
    write_errors,
    write_whole,
    write_whole_folder,
)
from ssl_domains.samples.writing.map_files import (
    Assembled,
    AssemblySize,
    MapAssembly,
    MapFile,
    MapFiles,
    MapModel,
    MapPlan,
)

__all__ = [
    "ASPECT_RATIO",
    "Assembled",
    "AssemblySize",
    "FileReader",
    "IdentifierKey",
    "Join",
    "LazyArray",
    "MapAssembly",
    "MapFile",
    "MapFiles",
    "MapModel",
    "MapPlan",
    "MaskReader",
    "OpenReader",
    "Problems",
    "ReadError",
    "Reader",
    "Region",
    "Regions",
    "SampleTable",
    "ScanResult",
    "ScanSession",
    "SizedReader",
    "TableDescription",
    "TableFiles",
    "TableMeta",
    "TableReader",
    "TextFile",
    "TextFiles",
    "TextPlan",
    "Transcribed",
    "Unreadable",
    "absolute_from",
    "alone_in",
    "as_frame",
    "balanced_parts",
    "boxes_of",
    "cause_of",
    "current_session",
    "describe_table",
    "each_file",
    "expanded_gzip",
    "expansion_limit",
    "fold_split",
    "folder_columns",
    "folder_note",
    "group_split",
    "is_sample_table",
    "is_sidecar",
    "join_columns",
    "join_noted",
    "looks_identifying",
    "mapped_file",
    "matching_rows",
    "meta_from_dict",
    "meta_to_dict",
    "missing_files",
    "names_of_join",
    "normal_slices",
    "only_one",
    "outdated_note",
    "problems_path",
    "queries_among",
    "read_boxes",
    "read_frame",
    "read_guarded",
    "read_noted_frame",
    "read_noted_table",
    "read_table",
    "regions_of",
    "require_expandable",
    "require_folder",
    "require_target",
    "scan_session",
    "shuffle_columns",
    "sidecar_meta",
    "sidecar_path",
    "undecoded_hint",
    "united",
    "walk",
    "whole_content",
    "with_aspect_ratio",
    "write_errors",
    "write_portable",
    "write_problems",
    "write_table",
    "write_whole",
    "write_whole_folder",
]
