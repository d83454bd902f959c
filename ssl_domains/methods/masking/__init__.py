"""Masked prediction: random masks, and pictures and sequences with a part of their places hidden."""
