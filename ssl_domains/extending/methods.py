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
        "imax",
        "features of two views vary between samples and agree between views; reads no pairs",
        "Becker & Hinton 1992, Self-organizing neural network that discovers surfaces in random-dot stereograms",
        "ssl_domains.methods.imax:Imax",
    ),
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
        "moco",
        "queries against the keys of a momentum encoder and a queue of older keys; takes any objective",
        "He 2020, Momentum Contrast; Chen 2020, Improved Baselines with Momentum Contrastive Learning (v2); Chen 2021, "
        "An Empirical Study of Training Self-Supervised Vision Transformers (v3)",
        "ssl_domains.methods.moco:MoCo",
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
    MethodEntry(
        "seqclr",
        "frames or windows of a sequence against the same ones of another view; takes any objective",
        "Aberdam 2021, Sequence-to-Sequence Contrastive Learning for Text Recognition",
        "ssl_domains.methods.seqclr:SeqCLR",
        inputs="lines, signals and spectrograms",
    ),
    MethodEntry(
        "byol",
        "predicts a momentum copy's embedding of the other view, or of a rule's positives; no negatives",
        "Grill 2020, Bootstrap Your Own Latent",
        "ssl_domains.methods.byol:BYOL",
    ),
    MethodEntry(
        "simsiam",
        "predicts the projection of the other view, which gets no gradient; no negatives",
        "Chen 2021, Exploring Simple Siamese Representation Learning",
        "ssl_domains.methods.simsiam:SimSiam",
    ),
    MethodEntry(
        "barlow_twins",
        "equal features of two views correlate over the batch, different features don't; no negatives",
        "Zbontar 2021, Barlow Twins: Self-Supervised Learning via Redundancy Reduction",
        "ssl_domains.methods.barlow_twins:BarlowTwins",
    ),
    MethodEntry(
        "vicreg",
        "close views, features that vary, and no two that vary together; no negatives",
        "Bardes 2022, VICReg: Variance-Invariance-Covariance Regularization",
        "ssl_domains.methods.vicreg:VICReg",
    ),
    MethodEntry(
        "swav",
        "each view predicts the prototypes that another view is assigned to; multi-crop",
        "Caron 2020, Unsupervised Learning of Visual Features by Contrasting Cluster Assignments",
        "ssl_domains.methods.swav:SwAV",
        inputs="any whose recipe has crops",
    ),
    MethodEntry(
        "dino",
        "predicts a momentum copy's distributions over prototypes; multi-crop, centring",
        "Caron 2021, Emerging Properties in Self-Supervised Vision Transformers",
        "ssl_domains.methods.dino:DINO",
        inputs="any whose recipe has crops",
    ),
    MethodEntry(
        "sigmoid",
        "each pair classified by itself, with learned temperature and bias; any objective",
        "Zhai 2023, Sigmoid Loss for Language Image Pre-Training",
        "ssl_domains.methods.sigmoid:Sigmoid",
    ),
)
