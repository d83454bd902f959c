"""Self-supervised methods, one file each."""

from ssl_domains.methods.method import Embeddings, Method
from ssl_domains.methods.simclr import SimCLR

__all__ = ["Embeddings", "Method", "SimCLR"]
