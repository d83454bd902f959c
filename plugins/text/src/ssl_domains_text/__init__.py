"""Texts: documents and the queries that should find them."""
