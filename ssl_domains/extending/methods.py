"""The methods of the core. A new one needs a file in ``methods/`` and an entry here."""

from __future__ import annotations

from ssl_domains.extending.method_entry import MethodEntry

__all__ = ["BUILT_IN"]

BUILT_IN = (
    MethodEntry(
        "imax",
        "features of two views vary between samples and agree between views; reads no pairs",
        "Becker & Hinton 1992, Self-organizing neural network that discovers surfaces in random-dot stereograms",
        "ssl_domains.methods.imax:Imax",
    ),
    MethodEntry(
        "instance_discrimination",
        "each sample is a class of its own, with a vector in a memory bank; takes any objective",
        "Wu 2018, Unsupervised Feature Learning via Non-Parametric Instance Discrimination",
        "ssl_domains.methods.instance_discrimination:InstanceDiscrimination",
    ),
    MethodEntry(
        "cpc",
        "a summary of a sequence so far predicts its later places; takes any objective",
        "van den Oord 2018, Representation Learning with Contrastive Predictive Coding",
        "ssl_domains.methods.cpc:CPC",
        inputs="pictures of one size (columns of patches), waveforms, spectrograms and series",
    ),
    MethodEntry(
        "deep_infomax",
        "the vector of a sample against the places of all maps; reads no pairs",
        "Hjelm 2019, Learning deep representations by mutual information estimation and maximization",
        "ssl_domains.methods.deep_infomax:DeepInfoMax",
        inputs="any, with an encoder whose map has several places",
    ),
    MethodEntry(
        "simclr",
        "two views against the batch; takes any objective (same(label) makes it SupCon)",
        "Chen 2020, A Simple Framework for Contrastive Learning; Khosla 2020, Supervised Contrastive Learning",
        "ssl_domains.methods.simclr:SimCLR",
    ),
)
