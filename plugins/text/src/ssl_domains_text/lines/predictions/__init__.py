"""Predicted transcripts in files of the domain: one PAGE-XML file for each page."""

from ssl_domains_text.lines.predictions.page_files import PageFile, page_text_files

__all__ = ["PageFile", "page_text_files"]
