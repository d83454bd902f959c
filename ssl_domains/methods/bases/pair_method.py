"""Base of methods whose loss is over the pairs of the batch."""

from __future__ import annotations

from torch import Tensor

from ssl_domains.methods.bases.head_method import HeadMethod
from ssl_domains.methods.contract.embeddings import Embeddings
from ssl_domains.methods.contract.row_pairs import RowPairs

__all__ = ["PairMethod"]


class PairMethod(HeadMethod):
    """Encoder and projection head; a sub-class gives `options` and the loss over pairs."""

    @staticmethod
    def operands(out: Embeddings, pairs: RowPairs) -> tuple[Tensor, Tensor | None]:
        """The anchors of this process, and the candidates of the whole batch; None where they are the anchors."""
        anchors = out.z if pairs.anchors is None else out.z[pairs.anchors]
        return anchors, None if pairs.square else out.whole()
