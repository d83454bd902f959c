"""Demonstration data: strips of handwritten digits by made-up writers, with planted faults."""

from ssl_domains_text.lines.demo.write import write_demo_data

__all__ = ["write_demo_data"]
