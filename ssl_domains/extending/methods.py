"""The methods of the core. A new one needs a file in ``methods/`` and an entry here."""

from __future__ import annotations

from ssl_domains.extending.method_entry import MethodEntry

__all__ = ["BUILT_IN"]

BUILT_IN = (
    MethodEntry(
        "simclr",
        "two views against the batch; takes any objective (same(label) makes it SupCon)",
        "Chen 2020, A Simple Framework for Contrastive Learning; Khosla 2020, Supervised Contrastive Learning",
        "ssl_domains.methods.simclr:SimCLR",
    ),
)
