"""Text: pictures of lines with their transcripts (``lines``), documents and queries that find them (``text``)."""
