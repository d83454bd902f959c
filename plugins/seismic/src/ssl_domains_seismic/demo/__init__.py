"""Demonstration data: a simulated survey with exact facies, its interpretation, and files with planted faults.

The way of the data: `structure` and `facies` say what lies where, `reflectivity` gives it a texture, `wavelet` makes
traces of it, `survey` numbers and places them, `segy_bytes` packs them. `write` puts all files into a folder.
"""
