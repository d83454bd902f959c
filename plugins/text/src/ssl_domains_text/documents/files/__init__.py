"""Files of documents, queries and judgements, each read as a stream of records, one line or one entry at a time.

`recognise` says what a file is, `records_of` reads its texts, and `judgements_of` its judgements. A record that can't
be read is a `Fault` with its line; the records beside it are read.
"""

from ssl_domains_text.documents.files.guarded import guarded
from ssl_domains_text.documents.files.judgements import judgements_of, links_of
from ssl_domains_text.documents.files.mined import MinedNegatives, read_mined
from ssl_domains_text.documents.files.reading import Columns, Reading
from ssl_domains_text.documents.files.recognise import FORMS, Found, recognise
from ssl_domains_text.documents.files.record import Fault, Record
from ssl_domains_text.documents.files.records import records_of

__all__ = [
    "FORMS",
    "Columns",
    "Fault",
    "Found",
    "MinedNegatives",
    "Reading",
    "Record",
    "guarded",
    "judgements_of",
    "links_of",
    "read_mined",
    "recognise",
    "records_of",
]
