"""Rows of one batch become a `PairBatch`: which are positive, negative or ignored, tile by tile."""
