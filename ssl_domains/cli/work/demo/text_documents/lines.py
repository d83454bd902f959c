"""The arms of the demonstration of documents, and the command lines that make them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.lines import DemoLines, settings

__all__ = ["ARMS", "COLUMN", "COPIES", "NEGATIVES", "OTHER", "QUESTION", "DocumentLines", "arm_of"]

NEGATIVES = {"batch": "in-batch", "refreshed": "refreshed"}
"""Where negatives come from: the other documents of the batch, or the nearest ones, searched anew during training."""

COPIES = {"plain": "copies are negatives", "ignored": "copies ignored", "positives": "copies as positives"}
"""What documents are that say the same as a relevant one."""

ARMS = tuple(
    Arm(f"{where}-{what}", f"{name}, {about}", (where, what))
    for where, name in NEGATIVES.items()
    for what, about in COPIES.items()
)
"""In the order of the table; the options are keys of `NEGATIVES` and `COPIES`."""

COLUMN, OTHER = "wording", "engineer"
"""Column of the tickets' wording, and the wording that no query has."""

QUESTION = "popnel of my fridge nudket"

_BATCH = 64
_REFRESHES = 8
_WARM_UP = 2
"""Parts of the training from one mining to the next, and those before the first one."""


@dataclass(frozen=True)
class DocumentLines(DemoLines):
    """The command lines of the demonstration of documents.

    Attributes:
        steps: Steps of each training.
        seeds: Trainings of each arm.
    """

    DOMAIN: ClassVar[str] = "text"
    PAGE: ClassVar[str] = "search.html"
    steps: int = 400
    seeds: int = 3

    @property
    def all_seeds(self) -> range:
        """Seeds of the trainings."""
        return range(self.seed, self.seed + self.seeds)

    @property
    def words(self) -> Path:
        """The index of words alone."""
        return self.out / "words"

    @property
    def judged(self) -> Path:
        """The judgements that the scan wrote."""
        return self.out / "samples.relevance.parquet"

    @property
    def links(self) -> Path:
        """Links of queries to the copies of their relevant documents."""
        return self.out / "samples.links.parquet"

    @property
    def exported(self) -> Path:
        """The exported encoder."""
        return self.out / "exported"

    def mined(self, copies: str) -> Path:
        """Negatives that a search by words mined; without links, the copies are among them."""
        return self.out / ("mined.parquet" if copies == "plain" else "mined-no-copies.parquet")

    def run_name(self, arm: Arm, seed: int) -> str:
        """Name of the run folder of a training."""
        return f"{arm.name}-{seed}"

    def hits(self, folder: Path, by: str) -> Path:
        """Hits of the test queries, as a TREC run."""
        return folder / f"{by}.trec"

    def scores(self, folder: Path, by: str) -> Path:
        """Scores of these hits, as JSON."""
        return folder / f"{by}.json"

    def scan(self) -> list[str]:
        """Makes the sample table."""
        facts = ["--join", str(self.data / "facts.csv"), "--on", "id"]
        return ["text", "scan", str(self.data / "tickets"), "-o", str(self.samples), *facts]

    def pairs(self) -> list[str]:
        """Shows the worst false negatives of planned batches."""
        shown = ["--batch-size", str(_BATCH), "--false-negatives", "10", "--html", str(self.out / "pairs.html")]
        return ["text", "pairs", str(self.samples), "--pairs", f"relevance(file='{self.judged}')", *shown]

    def link(self) -> list[str]:
        """Links queries with the copies of their relevant documents."""
        return ["text", "link-duplicates", str(self.samples), "--out", str(self.links)]

    def index_words(self) -> list[str]:
        """Makes the index of words."""
        return ["text", "index", str(self.samples), "--out", str(self.words)]

    def mine(self, copies: str) -> list[str]:
        """Mines the negatives that a refreshed training begins with."""
        links = [] if copies == "plain" else ["--links", str(self.links)]
        options = ["--by", "words", *links, "--out", str(self.mined(copies))]
        return ["text", "mine", str(self.samples), str(self.words), *options]

    def search_queries(self, index: Path, by: str) -> list[str]:
        """Searches for the test queries."""
        asked = ["--queries", str(self.samples), "--split", "test", "--by", by, "-k", "100"]
        return ["text", "search", str(index), *asked, "--out", str(self.hits(index, by))]

    def score(self, index: Path, by: str) -> list[str]:
        """Scores the hits of the test queries."""
        options = ["--split", "test", "--at", "10,30", "--recall-by", COLUMN, "--out", str(self.scores(index, by))]
        return ["text", "score", str(self.hits(index, by)), str(self.samples), *options]

    def pretrain(self, arm: Arm, seed: int) -> list[str]:
        """Trains an arm."""
        where, what = arm.options
        every = max(1, self.steps // _REFRESHES)
        values = {
            "train.batch_size": _BATCH,
            "train.lr": 5e-3,
            "train.max_steps": self.steps,
            "train.seed": seed,
            "pairs.epoch_steps": every,
            "views.without": '["drop_tokens"]',
        }
        if where == "batch":
            values |= {"views.n": 2, "method.top": 0}
        else:
            warm_up = f"linked('{self.mined(what)}')"
            values |= {"views.n": 3, "method.start": _WARM_UP, "pairs.warmup": warm_up}
        start = ["text", "pretrain", str(self.samples), "--out", str(self.run_folder(self.run_name(arm, seed)))]
        return [*start, "--method", "ance", "--pairs", self._rule(where, what), *settings(values)]

    def evaluate(self, arm: Arm, seed: int) -> list[list[str]]:
        """Searches with a trained encoder, by vectors and together with words, and scores the hits."""
        run = self.run_folder(self.run_name(arm, seed))
        lines = [["text", "index", str(self.samples), "--run", str(run)]]
        for by in ("vectors", "both"):
            words = self.search_queries(run, by)
            lines += [words, self.score(run, by)]
        return lines

    def ask(self, arm: Arm) -> list[str]:
        """Searches with words that a user types."""
        return ["text", "search", str(self.run_folder(self.run_name(arm, self.seed))), QUESTION, "-k", "5"]

    def export(self, arm: Arm) -> list[str]:
        """Exports the encoder of an arm."""
        run = self.run_folder(self.run_name(arm, self.seed))
        return ["text", "export", str(run), str(self.exported), "--format", "sentence-transformers"]

    def _rule(self, where: str, what: str) -> str:
        links = "" if what == "plain" else f", links='{self.links}'"
        positives = ", as_positives=True" if what == "positives" else ""
        negatives = "" if where == "batch" else ", negatives='linked(\"mined\")'"
        return f"relevance(file='{self.judged}'{links}{positives}{negatives})"


def arm_of(where: str, what: str) -> Arm:
    """The arm with these negatives and copies."""
    return next(arm for arm in ARMS if arm.options == (where, what))
