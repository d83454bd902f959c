"""Files of mined negatives, as ``{"qid": 1, "pos": [2], "neg": {"bm25": [3, 4]}}`` on each line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ssl_domains_text.documents.files.fields import id_text
from ssl_domains_text.documents.files.record import Fault
from ssl_domains_text.documents.files.tables import entries_of

__all__ = ["MinedNegatives", "read_mined"]


@dataclass
class MinedNegatives:
    """The content of a file of mined negatives.

    Attributes:
        negatives: Pairs of query and document, each once.
        positives: Pairs of query and document that the file names as relevant.
        removed: Entries that named a positive of the query as its negative; they are not among ``negatives``.
        faults: Lines that can't be read.
    """

    negatives: list[tuple[str, str]] = field(default_factory=list)
    positives: list[tuple[str, str]] = field(default_factory=list)
    removed: int = 0
    faults: list[Fault] = field(default_factory=list)


def read_mined(path: Path, known: Sequence[tuple[str, str]] = (), encoding: str = "utf-8") -> MinedNegatives:
    """Read a file of mined negatives. A negative that is a positive of its query is removed, and counted.

    Args:
        path: The file, JSON lines with the fields ``qid``, ``pos`` and ``neg``; ``neg`` is a list, or a list for each
            system that mined.
        known: Further positives, as pairs of query and document.
        encoding: Encoding of the file.
    """
    made = MinedNegatives()
    positives = set(known)
    listed: list[tuple[str, str]] = []
    for entry in entries_of(path, "jsonl", encoding):
        if isinstance(entry, Fault):
            made.faults.append(entry)
            continue
        line, values = entry
        query, pos, neg = id_text(values.get("qid")), values.get("pos", []), values.get("neg")
        systems = list(neg.values()) if isinstance(neg, dict) else [neg]
        if query is None or not isinstance(pos, list) or not all(isinstance(one, list) for one in systems):
            made.faults.append(Fault(line, "no mined negatives: qid, pos and neg are expected"))
            continue
        of_file = [(query, text) for text in map(id_text, pos) if text]
        made.positives += of_file
        positives |= set(of_file)
        listed += [(query, text) for one in systems for text in map(id_text, one or ()) if text]
    made.removed = sum(pair in positives for pair in listed)
    made.negatives = list(dict.fromkeys(pair for pair in listed if pair not in positives))
    return made
