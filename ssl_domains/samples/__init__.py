"""Sample tables: schema, files in and out, joins by column name, group-disjoint splits."""

from ssl_domains.samples.reader import FileReader, Problems, Reader, ReadError, ScanResult
from ssl_domains.samples.table import SampleTable, TableMeta

__all__ = ["FileReader", "Problems", "ReadError", "Reader", "SampleTable", "ScanResult", "TableMeta"]
