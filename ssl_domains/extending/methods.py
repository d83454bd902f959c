"""The methods of the core. A new one needs a file in ``methods/`` and an entry here."""

from __future__ import annotations

from ssl_domains.extending.method_entry import MethodEntry

__all__ = ["BUILT_IN"]

BUILT_IN = (
    MethodEntry(
        "rotation",
        "tells apart rotations of a picture, or any named transforms such as time reversal",
        "Gidaris 2018, Unsupervised Representation Learning by Predicting Image Rotations",
        "ssl_domains.methods.rotation:Rotation",
        inputs="square pictures; others with method.transforms",
    ),
    MethodEntry(
        "masked",
        "predicts hidden patches of a picture or hidden stretches of a signal",
        "Xie 2022, SimMIM; He 2022, Masked Autoencoders Are Scalable Vision Learners",
        "ssl_domains.methods.masked:Masked",
        inputs="pictures, with a ViT; signals",
    ),
    MethodEntry(
        "deep_cluster",
        "learns the clusters of its own features, which are made anew before each epoch",
        "Caron 2018, Deep Clustering for Unsupervised Learning of Visual Features",
        "ssl_domains.methods.deep_cluster:DeepCluster",
    ),
    MethodEntry(
        "simclr",
        "two views against the batch; takes any objective (same(label) makes it SupCon)",
        "Chen 2020, A Simple Framework for Contrastive Learning; Khosla 2020, Supervised Contrastive Learning",
        "ssl_domains.methods.simclr:SimCLR",
    ),
    MethodEntry(
        "supcon",
        "many positives by a rule, such as same(label); refused without a rule",
        "Khosla 2020, Supervised Contrastive Learning",
        "ssl_domains.methods.supcon:SupCon",
    ),
)
