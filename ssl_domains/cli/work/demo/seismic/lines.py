"""The arms of the seismic demonstration, and the command lines that make them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.lines import DemoLines, settings

__all__ = ["ARMS", "DISGUISE", "LABELS", "PICTURED", "RULE", "TUNED", "SeismicLines"]

RULE = "neighbours(m=100, ms=0)"
DISGUISE = "same_depth(ms=20)"
"""Its positives lie at one depth, anywhere: what they share is the depth."""

LABELS = "0=parallel,1=weak,2=sloping,3=channel,4=chaotic"

ARMS = (
    Arm("neighbours", f"{RULE}: the same place of a near line", ("--pairs", RULE)),
    Arm("simclr", "SimCLR, random batches", ()),
    Arm("shuffled", "the rule, places shuffled (control)", ("--pairs", RULE, "--shuffle-metadata", "{seed}")),
    Arm("random", "random weights, no training", ("--set", "train.epochs=0")),
)
"""In the order of the table."""

TUNED = ("neighbours", "simclr", "random")
"""Arms that are fine-tuned too; the last one from its random weights: scratch."""

PICTURED = ("random", "neighbours")
"""Arms whose predictions from one line are drawn."""

COMPARED = ("simclr", "neighbours")
"""Arms whose features are compared on the page."""

SLICE_MS = "1420"

_SHORT = {"neighbours": RULE, "simclr": "SimCLR", "random": "Random weights"}

_ONE_LINE = "0.012"
_FEW = f"{_ONE_LINE},0.05,1"
_BATCH = ("--set", "train.batch_size=64")


@dataclass(frozen=True)
class SeismicLines(DemoLines):
    """The command lines of the seismic demonstration; the sample table is that of the scan, with its split.

    Attributes:
        steps: Steps of each training.
        tuning_steps: Steps of each fine-tuning.
    """

    DOMAIN: ClassVar[str] = "seismic"
    PAGE: ClassVar[str] = "slice.html"
    steps: int = 120
    tuning_steps: int = 50

    @property
    def survey(self) -> Path:
        """The survey."""
        return self.data / "survey" / "near.sgy"

    @property
    def crossed(self) -> Path:
        """The table of inlines and crosslines of one block."""
        return self.out / "crossed.parquet"

    def tuned_folder(self, arm: str, one_line: bool = False) -> Path:
        """Run folder of a fine-tuning."""
        return self.out / "tuned" / (f"{arm}-one-line" if one_line else arm)

    def predictions(self, arm: str) -> Path:
        """Folder of the predictions of an arm from one line."""
        return self.out / "predicted" / arm

    def header(self, file: Path) -> list[str]:
        """Shows what the headers of a file say."""
        return ["seismic", "header", str(file)]

    def scan(self) -> list[str]:
        """Makes the table: patches of 32 samples × 32 traces of every inline, with the exact facies as labels."""
        labels = ["--labels", str(self.data / "labels" / "facies.npy"), "--label-names", LABELS]
        return ["seismic", "scan", str(self.survey), "-o", str(self.scanned), "--patch", "32", *labels]

    def split(self) -> list[str]:
        """Holds a quarter of the survey out, with a gap of 8 lines."""
        where = ["--blocks", "4x1", "--hold", "4-1", "--gap", "8", "--map", str(self.out / "map.svg")]
        return ["seismic", "split", str(self.scanned), "-o", str(self.samples), *where]

    def scan_crossed(self) -> list[str]:
        """Makes a table of inlines and crosslines, split by section: they cross each other."""
        options = ["--along", "inline,crossline", "--patch", "32", "--every", "4", "--split-by", "section"]
        return ["seismic", "scan", str(self.survey), "-o", str(self.crossed), *options]

    def audit(self) -> list[str]:
        """Audits that split."""
        return ["splits", "audit", str(self.crossed), "--split", "split"]

    def scan_twins(self) -> list[str]:
        """Says what is wrong with each twin."""
        return ["seismic", "scan", str(self.data / "twins"), "-o", str(self.out / "twins.parquet")]

    def pairs(self, pairs: str) -> list[str]:
        """Checks the pairs of a rule; those of the rule itself with a page of pictures."""
        page = ["--html", str(self.out / "pairs.html")] if pairs == RULE else []
        return ["seismic", "pairs", str(self.samples), "--pairs", pairs, *_BATCH, *page]

    def pretrain(self, arm: Arm, run: Path) -> list[str]:
        """Trains an arm into the folder ``run``."""
        common = {"train.lr": 2e-3, "train.seed": self.seed}
        if "train.epochs=0" not in arm.options:
            common["train.max_steps"] = self.steps
        options = [word.format(seed=self.seed) for word in arm.options]
        return ["seismic", "pretrain", str(self.samples), "--out", str(run), *_BATCH, *settings(common), *options]

    def probe(self, run: Path) -> list[str]:
        """Probes the facies of a run, with 1, 5 and 100 % of the lines."""
        return ["seismic", "probe", str(run), "--masks", "--group", "inline", "--fractions", _FEW]

    def finetune(self, start: Path, out: Path, fractions: str = _FEW) -> list[str]:
        """Fine-tunes a run on the facies of some lines."""
        options = ["--masks", "--group", "inline", "--fractions", fractions, "--draws", "1", "--no-scratch"]
        steps = ["--set", f"train.max_steps={self.tuning_steps}"]
        return ["seismic", "finetune", str(self.samples), "--from", str(start), "--out", str(out), *options, *steps]

    def finetune_one_line(self, start: Path, out: Path) -> list[str]:
        """Fine-tunes a run on the facies of one line."""
        return self.finetune(start, out, _ONE_LINE)

    def predict(self, tuned: Path, out: Path) -> list[str]:
        """Predicts the whole survey as SEG-Y."""
        return ["seismic", "predict", str(tuned), str(self.survey), "-o", str(out)]

    def predicted_classes(self, arm: str) -> Path:
        """The SEG-Y file of the predicted classes of an arm."""
        return self.predictions(arm) / "masks" / "near.classes.sgy"

    def slice_page(self, drawn: Sequence[str]) -> list[str]:
        """Draws one time slice.

        Args:
            drawn: The interpreted lines, such as ``il:262``.
        """
        shown = [f"{_SHORT[name]}, fine-tuned on one line={self.predicted_classes(name)}" for name in PICTURED]
        compared = [f"{_SHORT[name]}={self.run_folder(name)}" for name in COMPARED]
        words = ["seismic", "slice", str(self.samples), "--at", SLICE_MS, "-o", str(self.page)]
        words += ["--title", "One time slice of a simulated survey"]
        for flag, values in (("--predicted", shown), ("--run", compared), ("--line", drawn)):
            words += [word for value in values for word in (flag, value)]
        return words

    def same_headers(self, arm: str) -> list[str]:
        """Opens a prediction with segyio and compares its headers with those of the survey."""
        return ["seismic", "same-headers", str(self.survey), str(self.predicted_classes(arm))]
