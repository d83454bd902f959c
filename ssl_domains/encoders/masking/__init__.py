"""Keeping padding from a convolutional network: which places are valid after each layer, hooks, and a check."""
