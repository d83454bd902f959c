"""The methods that come with the core. A new one is its file in ``methods/`` and one entry here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ssl_domains.extending.method_entry import MethodEntry

if TYPE_CHECKING:
    from ssl_domains.encoders import Encoder
    from ssl_domains.methods import Method

__all__ = ["BUILT_IN"]


def _simclr(encoder: Encoder, options: Mapping[str, Any]) -> Method:
    from ssl_domains.methods import SimCLR

    return SimCLR.build(encoder, options)


BUILT_IN = (
    MethodEntry(
        "simclr",
        "two views against the batch; takes any objective (same(label) makes it SupCon)",
        "Chen 2020, A Simple Framework for Contrastive Learning; Khosla 2020, Supervised Contrastive Learning",
        _simclr,
    ),
)
