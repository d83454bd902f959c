"""Texts: word vectors against gensim, ``python -m benchmarks.text.words``."""
