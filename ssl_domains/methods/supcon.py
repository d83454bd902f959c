"""SupCon: the contrastive loss with many positives, which a rule such as ``same('label')`` gives.

Khosla et al. 2020, Supervised Contrastive Learning (the loss L_out).
"""

from __future__ import annotations

from typing import ClassVar

from ssl_domains.methods.contract.view_plan import ViewPlan
from ssl_domains.methods.simclr import SimCLR

__all__ = ["SupCon"]


class SupCon(SimCLR):
    """Encoder, projection head and the contrastive loss, with positives by a rule.

    Each anchor is pulled towards the mean of all its positives: its own other views, and the samples that the rule
    matches. The loss is that of `SimCLR` with the same rule, and equals plain SimCLR where each sample has a label of
    its own. The difference is that ``supcon`` refuses to train without a rule, so that a run of this name never is
    SimCLR by mistake.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(rule=True)
