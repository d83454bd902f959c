"""Rankings: the hits of queries in a collection, read and written as TREC files, and scored against judgements.

A *run* is a frame with the columns ``query``, ``document`` and ``score``: the documents that a search found for each
query, in any order. *Judgements* (qrels) are a frame with the columns ``query``, ``document`` and ``grade``. What comes
out is a mean over all judged queries, those that the run doesn't answer included::

    run = read_run("run.trec")
    scores = score_run(run, read_judgements("qrels.tsv"), at=(10, 100))
    print(scores.values["nDCG@10"], scores.notes())

Ids are text. Numbers are those of trec_eval, down to the order of documents with equal scores.
"""

from ssl_domains.probes.ranking.fusion import fused
from ssl_domains.probes.ranking.judged import RANKING, Judged, read_judged
from ssl_domains.probes.ranking.measures import RankingScores, recall_ceiling, score_run
from ssl_domains.probes.ranking.order import TIES, Kept, ranked, without_pairs, without_self_hits
from ssl_domains.probes.ranking.trec_files import read_judgements, read_run, write_run

__all__ = [
    "RANKING",
    "TIES",
    "Judged",
    "Kept",
    "RankingScores",
    "fused",
    "ranked",
    "read_judged",
    "read_judgements",
    "read_run",
    "recall_ceiling",
    "score_run",
    "without_pairs",
    "without_self_hits",
    "write_run",
]
