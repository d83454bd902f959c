"""The audio demonstration: its command lines come in, a table of what each rule keeps of word and speaker goes out."""

from ssl_domains.cli.work.demo.audio.demonstration import AudioDemonstration

__all__ = ["AudioDemonstration"]
