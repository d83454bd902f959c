"""The pairs of one batch.

`Rows` (views of samples, stored embeddings) and bound rules come in. A `PairBatch` goes out: which pairs of rows are
positive, negative or ignored, and with what weight, evaluated tile by tile.
"""
