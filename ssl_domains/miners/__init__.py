"""Miners: which triplets of a batch are worth their cost.

The distances of some anchors to all candidates come in, with the states of these pairs. `Triplets` go out: for each of
them an anchor, one of its positives, and a candidate that is less relevant. A loss such as
`ssl_domains.losses.triplet` calls its miner strip by strip, so no matrix of all rows is kept.
"""

from ssl_domains.miners.batch_all import batch_all
from ssl_domains.miners.batch_hard import batch_hard
from ssl_domains.miners.distance_weighted import distance_weighted
from ssl_domains.miners.semi_hard import semi_hard

__all__ = ["batch_all", "batch_hard", "distance_weighted", "semi_hard"]
