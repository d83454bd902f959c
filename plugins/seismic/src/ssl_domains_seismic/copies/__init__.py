"""Depth-major copies of volumes: time slices and cubes of a survey that is larger than memory, read from few pages.

In comes a volume, or a sample table that names several. `bricks` orders the numbers, `copy_file` is the file and the
check that it still fits its SEG-Y file, `write` makes it in blocks, `offer` says when it would help, and `command` is
the work of ``ssl-domains seismic copy``. Out come files that `segy.volume` reads from where they have a part on fewer
pages.
"""
