"""Demonstration data: made-up words of twelve speakers in three sessions each, as sound files with planted faults."""

from ssl_domains_audio.demo.write import write_demo_data

__all__ = ["write_demo_data"]
