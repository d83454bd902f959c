"""Encoders of token ids that are small enough to be trained from scratch on a laptop."""

from ssl_domains_text.documents.encoders.static import StaticEncoder, static

__all__ = ["StaticEncoder", "static"]
