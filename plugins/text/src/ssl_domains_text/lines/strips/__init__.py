"""Strips: made-up text lines of real handwritten characters.

Pictures of single characters (glyphs) go in; an LMDB database of lines with their transcripts comes out, see
`write_strips`. The demonstration of the domain lays out and writes its digits in the same way.
"""

from ssl_domains_text.lines.strips.database import Entry, write_database
from ssl_domains_text.lines.strips.layout import lay_out
from ssl_domains_text.lines.strips.write import StripSettings, write_strips

__all__ = ["Entry", "StripSettings", "lay_out", "write_database", "write_strips"]
