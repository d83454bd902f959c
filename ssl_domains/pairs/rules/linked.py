"""`linked`: rows joined by an edge of a file, or of an edge table that training computes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePath

from ssl_domains.errors import UsageError
from ssl_domains.pairs.rules.algebra import Leaf, Rule
from ssl_domains.pairs.rules.errors import RuleTypeError
from ssl_domains.pairs.rules.keys import SAMPLE, column_name

__all__ = ["Linked", "linked"]


@dataclass(frozen=True, repr=False)
class Linked(Leaf):
    """Rows whose keys an edge joins; made by `linked`."""

    file: str
    a: str = "a"
    b: str = "b"
    key: str = SAMPLE
    grade: str | None = None

    bound_by = "ssl_domains.pairs.leaves.linked:bind"

    def __post_init__(self) -> None:
        if not isinstance(self.file, str) or not self.file:
            shown = "an empty name" if self.file == "" else type(self.file).__name__
            raise RuleTypeError(f"linked takes the name of a file, not {shown}", "write linked('edges.tsv')")
        for name, what in ((self.a, "a"), (self.b, "b"), (self.key, "key")):
            column_name(name, f"linked({what}=)")
        if self.grade is not None:
            column_name(self.grade, "linked(grade=)")
        if self.a == self.b:
            raise UsageError(f"linked reads both ends of an edge from {self.a!r}", "write linked(file, a='…', b='…')")

    @property
    def columns(self) -> frozenset[str]:
        """Its key column; the columns of the edge file are not the table's."""
        return frozenset({self.key}) - {SAMPLE}

    @property
    def graded(self) -> bool:
        """Whether edges carry grades."""
        return self.grade is not None

    @property
    def edge_files(self) -> tuple[str, ...]:
        """The one file it reads."""
        return (self.file,)

    @property
    def edge_keys(self) -> frozenset[str]:
        """Its key, also when that is ``sample``."""
        return frozenset({self.key})

    def words(self) -> str:
        """See `Leaf.words`."""
        fading = "" if self.grade is None else ", by its grade"
        return f"linked in {PurePath(self.file).name}{fading}"

    def __str__(self) -> str:
        text = f"linked({self.file!r}"
        for name, value, default in (("a", self.a, "a"), ("b", self.b, "b"), ("key", self.key, SAMPLE)):
            if value != default:
                text += f", {name}={value!r}"
        if self.grade is not None:
            text += f", grade={self.grade!r}"
        return text + ")"


def linked(
    file: str | os.PathLike[str], a: str = "a", b: str = "b", key: str = "sample", grade: str | None = None
) -> Rule:
    """Rows whose keys an edge joins: relevance judgements, known duplicates, mined neighbours.

    Edges have no direction. An edge joins every row of one key with every row of the other. Repeated edges count once,
    with their largest grade. An edge of a key with itself is dropped, and so are edges of grade 0 or less. A key
    without edges matches no other key; a missing key makes the answer unknown. A relation that contains ``linked``
    matches rows of different parts, as with ``across_parts()``.

    Args:
        file: CSV, TSV, XLSX or Parquet file, read when the rule is bound; a relative path starts at the working
            directory. ``bind(…, edges={file: frame})`` takes a table instead of the file.
        a: Column of the file with one end of each edge.
        b: Column with the other end.
        key: Column of the sample table whose values the edges name.
        grade: Column of the file with a weight for each edge; None gives every edge the weight 1.

    Raises:
        UsageError: When a name is not a column name, or both ends are the same column.

    Example:
        >>> linked("qrels.tsv", a="query", b="document", grade="rel")
        linked('qrels.tsv', a='query', b='document', grade='rel')
    """
    return Linked(os.fspath(file) if isinstance(file, os.PathLike) else file, a, b, key, grade)
