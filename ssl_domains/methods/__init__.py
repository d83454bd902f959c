"""Self-supervised methods, one file each, and the contract that they share.

The views of a batch come in; embeddings of their rows and a loss go out. A method makes no assumption about the kind of
data, such as pictures or waveforms.
"""

from ssl_domains.methods.contract.embeddings import Embeddings, Exchange, Target
from ssl_domains.methods.contract.method import Method, MethodOptions
from ssl_domains.methods.contract.method_source import MethodSource, needs_with
from ssl_domains.methods.contract.refresh import Refresh, Refreshed
from ssl_domains.methods.contract.row_pairs import RowPairs
from ssl_domains.methods.contract.training_set import TrainingSet
from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.simclr import SimCLR, SimCLROptions

__all__ = [
    "Embeddings",
    "Exchange",
    "Method",
    "MethodOptions",
    "MethodSource",
    "Refresh",
    "Refreshed",
    "RowPairs",
    "SimCLR",
    "SimCLROptions",
    "Target",
    "TrainingSet",
    "ViewPlan",
    "needs_with",
]
