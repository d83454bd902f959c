"""Text: pictures of lines (domain ``lines``), with their transcripts, writers and books."""
