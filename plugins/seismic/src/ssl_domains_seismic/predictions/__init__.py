"""Predictions back on the survey: SEG-Y files that keep every trace header of the file that was predicted.

`map_files` plans the files of a table. What comes in are the probabilities of its samples, one sample at a time, which
are averaged in a temporary file; what goes out are SEG-Y files with the source's headers around the predicted traces
(`write_segy`), or ``.npy`` files for a volume of that form.
"""

from ssl_domains_seismic.predictions.plan import map_files
from ssl_domains_seismic.predictions.segy_file import SegyLayout, WrittenSegy, write_segy

__all__ = ["SegyLayout", "WrittenSegy", "map_files", "write_segy"]
