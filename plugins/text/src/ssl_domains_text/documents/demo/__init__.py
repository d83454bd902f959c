"""Demonstration data: service tickets of a made-up company, worded by customers and by engineers."""

from ssl_domains_text.documents.demo.write import write_demo_data

__all__ = ["write_demo_data"]
