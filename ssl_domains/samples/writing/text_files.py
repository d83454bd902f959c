"""The contract of a domain that puts transcripts back into its files, such as PAGE-XML: which files, and how."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from ssl_domains.samples.table import SampleTable

__all__ = ["TextFile", "TextFiles", "TextPlan", "Transcribed"]


@dataclass(frozen=True)
class Transcribed:
    """The answer of a recogniser for one sample.

    Attributes:
        text: The transcript, in reading order; may be empty.
        confidence: P(text | sample) by the model, the sum over all alignments, between 0 and 1. It is that of the whole
            text: a long one has a smaller one.
    """

    text: str
    confidence: float


@dataclass(frozen=True)
class TextFile(ABC):
    """One file that transcripts are put into, such as the PAGE-XML of a page. A domain has a class for each kind.

    Attributes:
        name: Path below the folder of files with its suffix, folders divided by ``/``. It shows nothing that the
            domain doesn't allow in a file name.
        rows: Positions in the table of the samples whose text the file holds; each sample is in one file at most.
    """

    name: str
    rows: tuple[int, ...]

    @abstractmethod
    def write(self, path: Path, texts: Mapping[int, Transcribed]) -> None:
        """Write the file.

        Args:
            path: Where to write; its folder exists.
            texts: Position in the table → answer. At least one of `rows` is there; samples that can't be decoded are
                not, and keep what the source says.

        Raises:
            ReadError: With the cause, when the source file can't be read.
        """


@dataclass(frozen=True)
class TextPlan:
    """The files that the transcripts of a table are written to, beside the table of all of them.

    Attributes:
        files: The files; a sample need not be in any of them.
        notes: Sentences for the user, such as how many samples have no page.
    """

    files: tuple[TextFile, ...]
    notes: tuple[str, ...] = ()


TextFiles: TypeAlias = "Callable[[SampleTable, Path | None], TextPlan]"
"""Plans the files of a table. The second argument is the folder that was scanned; None for a table of samples."""
