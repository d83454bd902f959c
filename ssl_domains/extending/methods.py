"""The methods of the core. A new one needs a file in ``methods/`` and an entry here."""

from __future__ import annotations

from ssl_domains.extending.method_entry import MethodEntry

__all__ = ["BUILT_IN"]

BUILT_IN = (
    MethodEntry(
        "siamese",
        "all pairs of the batch: positives attract, negatives repel up to a margin; any objective",
        "Bromley 1993, Signature Verification using a Siamese Time Delay Neural Network; "
        "Chopra 2005, Learning a Similarity Metric Discriminatively; "
        "Hadsell 2006, Dimensionality Reduction by Learning an Invariant Mapping",
        "ssl_domains.methods.siamese:Siamese",
    ),
    MethodEntry(
        "triplet",
        "a positive nearer than a negative, by a margin or softly, with mining; any objective, graded ones too",
        "Weinberger 2006, Distance Metric Learning for Large Margin Nearest Neighbor Classification; "
        "Wang 2014, Learning Fine-grained Image Similarity with Deep Ranking; "
        "Hermans 2017, In Defense of the Triplet Loss for Person Re-Identification",
        "ssl_domains.methods.triplet:Triplet",
    ),
    MethodEntry(
        "lifted_structure",
        "each positive pair against all negatives of both of its rows; any objective",
        "Song 2016, Deep Metric Learning via Lifted Structured Feature Embedding",
        "ssl_domains.methods.lifted_structure:LiftedStructure",
    ),
    MethodEntry(
        "n_pair",
        "each positive against all negatives of its anchor, without normalisation; any objective",
        "Sohn 2016, Improved Deep Metric Learning with Multi-class N-pair Loss Objective",
        "ssl_domains.methods.n_pair:NPair",
    ),
    MethodEntry(
        "margin",
        "a learned boundary of distances, negatives sampled evenly over distances; any objective",
        "Wu 2017, Sampling Matters in Deep Embedding Learning",
        "ssl_domains.methods.margin:Margin",
    ),
    MethodEntry(
        "simclr",
        "two views against the batch; takes any objective (same(label) makes it SupCon)",
        "Chen 2020, A Simple Framework for Contrastive Learning; Khosla 2020, Supervised Contrastive Learning",
        "ssl_domains.methods.simclr:SimCLR",
    ),
    MethodEntry(
        "sigmoid",
        "each pair classified by itself, with learned temperature and bias; any objective",
        "Zhai 2023, Sigmoid Loss for Language Image Pre-Training",
        "ssl_domains.methods.sigmoid:Sigmoid",
    ),
)
