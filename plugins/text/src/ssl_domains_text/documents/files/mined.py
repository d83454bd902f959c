"""Files of mined negatives, as ``{"qid": 1, "pos": [2], "neg": {"bm25": [3, 4]}}`` on each line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ssl_domains_text.documents.files.fields import DOCUMENT, ID, field_of, id_text
from ssl_domains_text.documents.files.guarded import guarded
from ssl_domains_text.documents.files.record import Fault
from ssl_domains_text.documents.files.tables import entries_of

__all__ = ["MinedNegatives", "read_mined"]

_DOCUMENT_ID = frozenset((*DOCUMENT, *ID))
_SHOWN = 60  # characters of a value that is no id


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


def read_mined(
    path: Path, known: Sequence[tuple[str, str]] = (), encoding: str = "utf-8", form: str = "jsonl"
) -> MinedNegatives:
    """Read a file of mined negatives. A negative that is a positive of its query is removed, and counted.

    Args:
        path: The file, with the fields ``qid``, ``pos`` and ``neg``; ``neg`` is a list, or a list for each system that
            mined. A document of a list is its id, or an object with it, such as ``{"pid": 7, "ce-score": 3.2}``.
        known: Further positives, as pairs of query and document.
        encoding: Encoding of the file.
        form: ``"jsonl"``, ``"parquet"``, ``"csv"`` or ``"tsv"``; in the last two, lists are written as JSON.
    """
    made = MinedNegatives()
    positives = set(known)
    listed: list[tuple[str, str]] = []
    for entry in guarded(entries_of(path, form, encoding), path):
        if isinstance(entry, Fault):
            made.faults.append(entry)
            continue
        line, values = entry
        if "neg" not in values:
            made.faults.append(Fault(line, "no mined negatives: qid, pos and neg are expected"))
            continue
        query, neg = id_text(values.get("qid")), _json(values.get("neg"))
        pos = _documents(_json(values.get("pos")))
        systems = [_documents(one) for one in (neg.values() if _is_of_systems(neg) else (neg,))]
        if query is None or isinstance(pos, str):
            made.faults.append(Fault(line, "no id of a query in 'qid'" if query is None else f"in 'pos' {pos}"))
            continue
        wrong = next((one for one in systems if isinstance(one, str)), None)
        if wrong is not None:
            made.faults.append(Fault(line, f"in 'neg' {wrong}"))
            continue
        of_file = [(query, document) for document in pos]
        made.positives += of_file
        positives |= set(of_file)
        listed += [(query, document) for one in systems for document in one]
    made.removed = sum(pair in positives for pair in listed)
    made.negatives = list(dict.fromkeys(pair for pair in listed if pair not in positives))
    return made


def _json(value: Any) -> Any:
    """The list or object that a field of a table has as JSON; other values as they are."""
    if isinstance(value, str) and value.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _is_of_systems(neg: Any) -> bool:
    """Whether negatives are a mapping from systems to lists, and not one document as an object with its id."""
    return isinstance(neg, Mapping) and _DOCUMENT_ID.isdisjoint(str(name).lower() for name in neg)


def _documents(value: Any) -> list[str] | str:
    """Ids of the documents of a list, or of one document; or, in words, what of them is none."""
    found: list[str] = []
    for one in value if isinstance(value, list) else [] if value in (None, "") else [value]:
        name = field_of(one, (*DOCUMENT, *ID)) if isinstance(one, Mapping) else None
        document = id_text(one if name is None else one[name])
        if document is None:
            return f"there is no id of a document: {str(one)[:_SHOWN]}"
        found.append(document)
    return found
