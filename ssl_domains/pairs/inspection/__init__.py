"""Whether pairs are worth training on.

A bound objective, its table and a batch sampler come in. A `PairsReport`, advice on batch size and composition, and the
reasons of single pairs go out.
"""
