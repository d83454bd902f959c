"""Sorted forms of a rule in which an anchor's matches are counted and drawn without a search."""
