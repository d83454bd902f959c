"""Losses: pure functions of embeddings, pairs and a few numbers such as a temperature or a margin."""

from ssl_domains.losses.contrastive import contrastive_loss
from ssl_domains.losses.cosine_pair import cosine_pair
from ssl_domains.losses.lifted_structure import lifted_structure
from ssl_domains.losses.margin import margin_loss
from ssl_domains.losses.n_pair import n_pair
from ssl_domains.losses.output import LossOutput
from ssl_domains.losses.pair_margin import pair_margin
from ssl_domains.losses.pairwise_sigmoid import pairwise_sigmoid
from ssl_domains.losses.triplet import triplet

__all__ = [
    "LossOutput",
    "contrastive_loss",
    "cosine_pair",
    "lifted_structure",
    "margin_loss",
    "n_pair",
    "pair_margin",
    "pairwise_sigmoid",
    "triplet",
]
