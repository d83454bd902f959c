"""Bases of methods that differ only in their loss: over the pairs of a batch, over mined triplets, over many crops."""
