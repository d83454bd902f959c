"""Array stores: each sample in native type and unit, decoded once into a memory-mapped file or read where it lies.

A sample table and a reader come in; `ArrayStore.of` gives the arrays of a table by row. An array that a reader can open
in place is not copied. Worker processes may read a store at the same time, and a filling that was interrupted can be
continued.
"""

from ssl_domains.stores.array_store import ArrayStore, default_store
from ssl_domains.stores.copying import Notice
from ssl_domains.stores.masks import MaskStore, default_mask_store, mask_names, names_masks
from ssl_domains.stores.sample_arrays import SampleArrays

__all__ = [
    "ArrayStore",
    "MaskStore",
    "Notice",
    "SampleArrays",
    "default_mask_store",
    "default_store",
    "mask_names",
    "names_masks",
]
