"""From files to the sample table: texts copied into one file, one row a text, judgements as edges, and what is odd.

`scan_documents` does all of it. Texts are read one after another and written on at once, so that a collection of any
size is scanned in the memory of its table: about 100 bytes a text.
"""

from ssl_domains_text.documents.scanning.scan import ScanChoice, scan_documents

__all__ = ["ScanChoice", "scan_documents"]
