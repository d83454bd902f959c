"""The domain ``text``: documents, and queries that should find them.

A scan reads documents, queries and judgements from files in their usual forms, and gives a table with one row a text
and a file of edges, which says which document is relevant to which query. From there: pairs and their false negatives,
training of an encoder, an index, and rankings with their scores.
"""
