"""The demonstration of text lines: its command lines come in, a table of errors and a page of strips go out."""

from ssl_domains.cli.work.demo.text_lines.demonstration import LinesDemonstration

__all__ = ["LinesDemonstration"]
