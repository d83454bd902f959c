"""The batches of an epoch.

A bound objective and a `Composition` come in. The global batches of each epoch go out, a function of seed and epoch.
"""
