"""ANCE: queries against documents, with negatives from an index that is refreshed during training.

Xiong et al. 2020, Approximate Nearest Neighbor Negative Contrastive Learning for Dense Text Retrieval.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import polars as pl
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, Field
from torch import Tensor

from ssl_domains.encoders import Encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Views
from ssl_domains.losses import LossOutput, contrastive_loss
from ssl_domains.methods import Embeddings, Method, MethodOptions, Refresh, Refreshed, RowPairs, ViewPlan
from ssl_domains.pairs import edges_between
from ssl_domains.samples import SampleTable, whole_content
from ssl_domains_text.documents.search.exact import nearest
from ssl_domains_text.documents.search.ivf import EXACT_BELOW, ListIndex

__all__ = ["ANCE", "ANCEOptions"]

MINED = "mined"
"""Name of the edge table of mined negatives, for ``pairs.negatives = "linked('mined')"``."""

_MOST_COPIES = 100  # of the text of a query; where a collection has more, fewer negatives are mined for it


class ANCEOptions(MethodOptions):
    """Options of ANCE."""

    temperature: float = Field(default=0.05, gt=0, allow_inf_nan=False, description="temperature τ of the loss")
    top: int = Field(
        default=30,
        ge=0,
        description="nearest documents of a query that are its mined negatives; 0 mines none: the other documents of "
        "the batch are the negatives",
    )
    every: int = Field(default=1, ge=1, description="epochs from one mining to the next; see pairs.epoch_steps")
    start: int = Field(default=1, ge=0, description="epochs before the first mining; until then, pairs.warmup serves")


class ANCE(Method):
    """Queries against the documents of the batch: positives by the rule, mined negatives, and those of other queries.

    View 0 of a slot is the query; its other views are documents: its positive, and with ``pairs.negatives`` a drawn
    negative. So ``views.n`` is the number of seats of a slot: 2, or 3 with one mined negative. Queries are no
    candidates of each other. There is no projection head: what is trained is the vector that a search compares.

    Mining embeds all training rows as they are at this moment, and takes the documents nearest to each query, without
    those that have its text. Documents that the rule makes positives of the query, or ignores, are among them, and are
    never drawn.

    Args:
        encoder: The encoder of queries and documents.
        settings: The options.
    """

    needs: ClassVar[ViewPlan] = ViewPlan(views=2, rule=True)
    options: ClassVar[type[BaseModel]] = ANCEOptions

    def __init__(self, encoder: Encoder, settings: ANCEOptions) -> None:
        super().__init__()
        self.encoder = encoder
        self.settings = settings
        self.refresh = None
        if settings.top:
            self.refresh = Refresh(self._mine, edges=(MINED,), reads="z", every=settings.every, start=settings.start)

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        """Build it from the options of a configuration; see `Method.build`."""
        return cls(encoder, ANCEOptions(**{name: options[name] for name in ANCEOptions.model_fields}))

    def embed(self, views: Views) -> Embeddings:
        """Embeddings ``z [M, F]`` of length 1. Views are encoded apart, so that no query is padded to a document."""
        shown = [view.input for view in views.each]
        pooled = torch.cat([self.encoder(one.values, one.valid).pooled for one in shown])
        z = torch.nn.functional.normalize(pooled.to(torch.promote_types(pooled.dtype, torch.float32)), dim=1)
        return Embeddings(z, pooled.detach()[: views.samples])

    def loss(self, out: Embeddings, pairs: RowPairs) -> LossOutput:
        """The contrastive loss of the queries of this process against the documents of the whole batch."""
        asked = torch.nonzero(pairs.rows.view == 0).flatten()
        offered = torch.nonzero(pairs.whole.view != 0).flatten()
        found = pairs(pairs.rows.take(asked), pairs.whole.take(offered))
        documents = out.whole()[offered.to(out.z.device)]
        queries = out.z[asked.to(out.z.device)]
        return contrastive_loss(queries, found, self.settings.temperature, documents, total_anchors=out.total)

    @property
    def temperature(self) -> float:
        """The temperature τ."""
        return self.settings.temperature

    def _mine(self, features: Tensor, table: SampleTable) -> Refreshed:
        sides = table.text("side")
        queries = np.flatnonzero((sides == "query").fill_null(False).to_numpy())
        documents = np.flatnonzero((sides == "document").fill_null(False).to_numpy())
        if not len(queries) or not len(documents):
            raise UsageError("mining needs queries and documents", "both sides must be among the training rows")
        top, vectors, codes = self.settings.top, _rows(features, documents), _contents(table)
        depth = top + min(_MOST_COPIES, _most_copies(codes[queries], codes[documents]))
        if len(documents) < EXACT_BELOW:
            _, positions = nearest(_rows(features, queries), vectors, depth)
        else:
            positions = ListIndex(np.asarray(vectors)).search(_rows(features, queries).numpy(), depth).positions
        asking, found = np.repeat(queries[:, None], positions.shape[1], axis=1), documents[positions]
        # A document with the text of the query is the query itself, as in Quora and ArguAna, and no negative.
        other = (codes[found] != codes[asking]) | (codes[asking] < 0)
        other &= np.cumsum(other, axis=1) <= top
        return Refreshed(edges={MINED: edges_between(table, asking[other], found[other])})


def _contents(table: SampleTable) -> NDArray[np.int64]:
    """A number for each row, equal for rows of equal whole texts, int64 ``[n]``; −1 where the table doesn't know it."""
    codes = whole_content(table.frame).rank("dense").cast(pl.Int64).fill_null(-1)
    return np.asarray(codes.to_numpy(), dtype=np.int64)


def _most_copies(queries: NDArray[np.int64], documents: NDArray[np.int64]) -> int:
    """The largest number of documents that have the text of one query."""
    shared = documents[np.isin(documents, queries[queries >= 0])]
    return int(np.unique(shared, return_counts=True)[1].max(initial=0))


def _rows(features: Tensor, rows: NDArray[np.int64]) -> Tensor:
    """Rows of a memory map; those that lie side by side are not copied."""
    first, last = int(rows[0]), int(rows[-1])
    return features[first : last + 1] if last - first + 1 == len(rows) else features[torch.from_numpy(rows)]
