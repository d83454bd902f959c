"""Decode once: memory-mapped arrays in native type and unit, safe with workers and when filling is interrupted."""

from ssl_domains.stores.array_store import ArrayStore, default_store
from ssl_domains.stores.lock import only_one
from ssl_domains.stores.masks import MaskStore, default_mask_store, mask_names

__all__ = ["ArrayStore", "MaskStore", "default_mask_store", "default_store", "mask_names", "only_one"]
