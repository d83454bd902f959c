"""Scan of text lines: from the files of a folder to lines, and from lines to rows.

`find_lines` chooses the form of the source; `lines_of_databases`, `lines_of_pages`, `lines_of_iam` and
`lines_of_pictures` give its lines; `frame_of` makes the table.
"""
