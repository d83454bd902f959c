"""Labels of recordings: what file names and folders say, tables of segments, and tags.

`name_columns` reads names of known data sets and recorders, and `read_segments` tables of segments of any kind (CSV,
Audacity, Raven, RTTM, AudioSet).
"""
