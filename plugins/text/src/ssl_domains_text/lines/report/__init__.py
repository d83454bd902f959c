"""Lines on pages: thumbnails that fold a line into rows."""

from ssl_domains_text.lines.report.thumbnail import thumbnail

__all__ = ["thumbnail"]
