"""Words: vectors and language models of words, trained over the positions of a corpus.

What comes in is a table of documents. `corpus` turns their texts into one memory-mapped array of word numbers, with the
bounds of the sentences; no row of a table is a word. `batches` draws positions of this array, `windows` makes pairs and
contexts of them, `methods` holds what is learned from these, and `training` is the loop. What goes out is a run folder,
whose vectors `vectors` reads, searches and exports.
"""
