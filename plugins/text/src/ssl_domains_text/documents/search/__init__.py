"""Search: BM25 over words, nearest vectors exactly or by lists (IVF), the sum of both, and an index in a folder.

Every search gives a run, a frame with ``query``, ``document`` and ``score``, which `ssl_domains.probes.ranking` orders,
writes and scores. A document with the score 0 of BM25 shares no word with the query and is no hit.
"""

from ssl_domains.probes.ranking import fused
from ssl_domains_text.documents.search.analysis import Analysis
from ssl_domains_text.documents.search.bm25 import WordIndex
from ssl_domains_text.documents.search.exact import nearest
from ssl_domains_text.documents.search.fusion import merged
from ssl_domains_text.documents.search.ivf import ListIndex, Neighbours

__all__ = ["Analysis", "ListIndex", "Neighbours", "WordIndex", "fused", "merged", "nearest"]
