"""Splits of surveys: files that cover one area are joined by coordinates, areas are cut into blocks, blocks held out.

Sample tables come in; regions with common codes of areas, and columns of a split, go out.
"""
