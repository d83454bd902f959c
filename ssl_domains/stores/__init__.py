"""Array stores: each sample is decoded once and then read from a memory-mapped file, in native type and unit.

A sample table and a reader come in; arrays by position come out. Worker processes may read a store at the same time,
and a filling that was interrupted can be continued.
"""

from ssl_domains.stores.array_store import ArrayStore, default_store
from ssl_domains.stores.lock import only_one
from ssl_domains.stores.masks import MaskStore, default_mask_store, mask_names

__all__ = ["ArrayStore", "MaskStore", "default_mask_store", "default_store", "mask_names", "only_one"]
