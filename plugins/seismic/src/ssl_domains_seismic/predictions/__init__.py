"""Predictions back on the survey: SEG-Y files that keep every trace header of the file that was predicted.

What comes in are blocks of predicted traces in the order of the source's traces; what goes out is a SEG-Y file with
the source's headers around them.
"""

from ssl_domains_seismic.predictions.segy_file import SegyLayout, WrittenSegy, write_segy

__all__ = ["SegyLayout", "WrittenSegy", "write_segy"]
