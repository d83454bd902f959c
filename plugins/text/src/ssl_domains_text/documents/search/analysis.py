"""From a text to its terms: words in lower case without stop words, reduced to their stem, in a stated language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains_text.documents.segmentation import folded, grams_of, is_unspaced, runs_of

__all__ = ["Analysis"]


@dataclass(frozen=True)
class Analysis:
    """How texts become terms.

    A word is a run of letters, digits and underscores with their combining marks; see
    `ssl_domains_text.documents.segmentation`. Runs of scripts that have no spaces between words (Chinese, Japanese,
    Thai, …) become pairs of neighbouring characters, or n of them. So a collection may mix scripts.

    Example:
        >>> Analysis("english").terms("The wings of aircraft; 翼型")
        ['wing', 'aircraft', '翼型']

    Attributes:
        language: Language of the Snowball stemmer and of the stop words, such as ``"english"`` or ``"german"``;
            ``"none"`` for neither.
        stem: Whether words are reduced to their stem.
        stop: Whether stop words of the language are left out; a language without a list keeps all words.
        characters: Characters of a term in scripts without spaces.
        shortest: Characters of the shortest word; single letters and digits are left out with 2.

    Raises:
        UsageError: When there is no stemmer for the language.
    """

    language: str = "english"
    stem: bool = True
    stop: bool = True
    characters: int = 2
    shortest: int = 2

    def __post_init__(self) -> None:
        if self.language != "none":
            import Stemmer

            known = Stemmer.algorithms()
            if self.language not in known:
                hint = f"{did_you_mean(self.language, known)}; none takes words as they are"
                raise UsageError(f"there is no stemmer for {self.language!r}", hint)
        if self.characters < 1:
            raise UsageError(f"terms of {self.characters} characters", "1 is the least")

    def terms(self, text: str) -> list[str]:
        """The terms of a text, in order."""
        words: list[str] = []
        for run in runs_of(folded(text)):
            if is_unspaced(run):
                words += grams_of(run, self.characters)
            elif len(run) >= self.shortest and run not in self._stop_words:
                words.append(run)
        return words if self._stem is None else self._stem(words)

    def words(self) -> str:
        """The analysis in words, for a note."""
        if self.language == "none":
            return "words as they are, without stemmer and stop words"
        stemmer = f"{self.language} Snowball stemmer" if self.stem else "no stemmer"
        count = len(self._stop_words)
        stops = f"{count} {self.language} stop words" if count else "no stop words"
        if self.stop and not count:
            stops += f" (there is no list for {self.language})"
        return f"{stemmer}, {stops}"

    def to_dict(self) -> dict[str, Any]:
        """Settings, as JSON values."""
        return asdict(self)

    @cached_property
    def _stop_words(self) -> frozenset[str]:
        if not self.stop or self.language == "none":
            return frozenset()
        from bm25s import stopwords

        name = "STOPWORDS_EN" if self.language in ("english", "porter") else f"STOPWORDS_{self.language.upper()}"
        return frozenset(map(folded, getattr(stopwords, name, ())))

    @cached_property
    def _stem(self) -> Callable[[list[str]], list[str]] | None:
        if not self.stem or self.language == "none":
            return None
        import Stemmer

        made: Callable[[list[str]], list[str]] = Stemmer.Stemmer(self.language).stemWords
        return made

    def __getstate__(self) -> dict[str, Any]:
        return self.to_dict()  # a stemmer can't be pickled
