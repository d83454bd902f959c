"""Indices of a table for drawing: for each anchor a list of positions among which all its matches are."""
