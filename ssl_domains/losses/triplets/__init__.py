"""Sums over triplets: all of them, or those that a miner chooses."""
