"""Documents that say the same: equal texts, near copies and tables of duplicates, and the false negatives they make.

A document that says the same as the relevant one is relevant too, and no judgement knows it. In a batch it stands as a
negative. `document_groups` joins such documents, `linked_edges` links queries with all documents of a group, and
`false_negatives` shows the worst of those that a batch would push away.
"""

from ssl_domains_text.documents.links.edges import LinkedEdges, linked_edges
from ssl_domains_text.documents.links.false_negatives import FalseNegative, FalseNegatives, false_negatives
from ssl_domains_text.documents.links.groups import DocumentGroups, document_groups
from ssl_domains_text.documents.links.near_copies import near_copies

__all__ = [
    "DocumentGroups",
    "FalseNegative",
    "FalseNegatives",
    "LinkedEdges",
    "document_groups",
    "false_negatives",
    "linked_edges",
    "near_copies",
]
