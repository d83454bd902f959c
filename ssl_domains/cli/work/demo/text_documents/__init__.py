"""The demonstration of documents: its command lines come in, a table of searches, a page and an export go out."""

from ssl_domains.cli.work.demo.text_documents.demonstration import DocumentsDemonstration

__all__ = ["DocumentsDemonstration"]
