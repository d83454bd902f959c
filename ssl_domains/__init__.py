"""Contrastive self-supervised learning whose pairs come from your metadata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__all__ = ["__version__", "load"]
__version__ = "0.1.0"

if TYPE_CHECKING:
    from ssl_domains.evaluation import load


def __getattr__(name: str) -> Any:
    # Lazy, so that importing the package stays free of torch and polars.
    if name == "load":
        from ssl_domains.evaluation import load

        return load
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
