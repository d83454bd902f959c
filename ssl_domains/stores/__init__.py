"""Decode once: memory-mapped arrays in native type and unit, safe with workers and when filling is interrupted."""

from ssl_domains.stores.array_store import ArrayStore, default_store

__all__ = ["ArrayStore", "default_store"]
