"""Scan of recordings: from the files of a folder to rows.

`find_sounds` reads the headers, `cut_sounds` cuts long recordings, `measure` is the second pass over the contents, and
`notes` says in sentences what was found.
"""
