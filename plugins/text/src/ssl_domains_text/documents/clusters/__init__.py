"""Queries that ask for nearly the same, in clusters that stay on one side of a split.

Judgements and the queries of a table come in; each query gets a cluster. Queries of one cluster share their relevant
documents or their words, so a split at random would train on the answers of its test queries.
"""

from ssl_domains_text.documents.clusters.query_clusters import QueryClusters, query_clusters
from ssl_domains_text.documents.clusters.sides import with_clusters

__all__ = ["QueryClusters", "query_clusters", "with_clusters"]
