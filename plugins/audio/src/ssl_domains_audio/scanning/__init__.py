"""Scan of recordings: from the files of a folder to rows.

`find_sounds` reads the headers, `cuts_of` and `segments_of` make samples of recordings, `measure_clips` is the second
pass over the contents, and `frame_of` makes the rows. `notes` says in sentences what was found.
"""
