"""Pictures of text lines: their files, transcripts, inputs, views and pairs.

`LinesReader` reads LMDB, IAM, PAGE-XML, ALTO, tables and folders; a preprocess makes strips of one height and any width
of them; a recipe makes views that keep the horizontal positions of the characters.
"""
