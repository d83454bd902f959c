"""Self-supervised methods, one file each."""

from ssl_domains.methods.method import Embeddings, Method
from ssl_domains.methods.refresh import Refresh, Refreshed
from ssl_domains.methods.simclr import SimCLR
from ssl_domains.methods.supervised import Supervised, supervised_factory

__all__ = ["Embeddings", "Method", "Refresh", "Refreshed", "SimCLR", "Supervised", "supervised_factory"]
