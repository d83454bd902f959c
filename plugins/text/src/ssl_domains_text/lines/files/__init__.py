"""Files of text lines: databases, XML of pages, lists of words, and pictures; nothing here knows of a table.

`LmdbFile` looks up values in an LMDB database, `picture_header` and `decoded_picture` read a picture from a file or
from bytes, and `read_page_xml`, `read_alto` and `read_iam` give the lines that a file names.
"""
