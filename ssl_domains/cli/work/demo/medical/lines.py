"""The arms of the medical demonstration, and the command lines that make them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.lines import DemoLines, settings

__all__ = ["ARMS", "GROUP", "LABEL", "NUISANCE", "REFUSED", "RULE", "SCANNER_RULE", "Arm", "MedicalLines"]

LABEL, NUISANCE, GROUP = "severity", "scanner", "patient"
RULE = "within('cst', 20)"
SCANNER_RULE = "same('scanner')"
REFUSED = "same('patient', 'cst') & ~same('series')"
"""Sounds sensible (another visit or eye of the patient with the same thickness), but hardly any scan has a partner."""

# Set explicitly, so that the control with the rule's batches differs from plain SimCLR whatever the batch size is.
_BATCHES = ("--rule", RULE, "--set", "pairs.composition=draw", "--set", "pairs.per_group=2")

_STEPS_AN_EPOCH = 15  # of pre-training; fine-tuning takes as many steps


ARMS = (
    Arm("cst", f"{RULE}: similar thickness", _BATCHES),
    Arm("simclr", "SimCLR, random batches", ()),
    Arm("composed", "SimCLR with the rule's batches", (*_BATCHES, "--relations", "none")),
    Arm("shuffled", "the rule, thickness shuffled (control)", (*_BATCHES, "--shuffle-metadata", "{seed}")),
    Arm("patient", "same('patient')", ("--rule", "same('patient')")),
    Arm("scanner", SCANNER_RULE, ("--rule", SCANNER_RULE)),
    Arm("random", "random weights, no training", ("--set", "train.epochs=0")),
)
"""In the order of the table; the fine-tuning starts from the first one, which is trained first."""


@dataclass(frozen=True)
class MedicalLines(DemoLines):
    """The command lines of the medical demonstration.

    Attributes:
        epochs: Epochs of each training.
        size: Side of the canvas in pixels.
        draws: Draws of labelled patients of the probes.
        fractions: Shares of the labelled training patients: 3, 10 and all of 64.
    """

    DOMAIN: ClassVar[str] = "medical"
    PAGE: ClassVar[str] = "summary.html"
    epochs: int = 18
    size: int = 32
    draws: int = 5
    fractions: tuple[float, float, float] = (0.047, 0.156, 1.0)

    def trained(self, arm: str, seed: int) -> Path:
        """Run folder of the training of an arm with a seed."""
        return self.run_folder(f"{arm}-{seed}")

    def scan(self) -> list[str]:
        """Makes the sample table."""
        table = ["--join", str(self.data / "clinical.csv"), "--on", "series", "--split-by", GROUP]
        return ["medical", "scan", str(self.data / "images"), "-o", str(self.samples), *table]

    def finetuned(self, runs: str = "runs") -> Path:
        """Run folder of the fine-tuning."""
        return self.out / ("finetuned" if runs == "runs" else f"{runs}-finetuned")

    def finetune(self, runs: str = "runs") -> list[str]:
        """Fine-tunes the first training of the rule, beside its frozen probe and scratch, with one draw of patients."""
        start = self.out / runs / f"{ARMS[0].name}-{self.seed}"
        shares = ",".join(map(str, self.fractions))
        options = ["--label", LABEL, "--fractions", shares, "--draws", "1"]
        steps = ["--set", f"train.max_steps={_STEPS_AN_EPOCH * self.epochs}"]
        out = str(self.finetuned(runs))
        return ["medical", "finetune", str(self.samples), "--from", str(start), "--out", out, *options, *steps]

    def pairs(self, rule: str) -> list[str]:
        """Checks the pairs of a rule; those of the rule itself with a page of pictures."""
        page = ["--html", str(self.out / "pairs.html")] if rule == RULE else []
        options = ["--set", "train.batch_size=64", *page]
        return ["medical", "pairs", str(self.samples), "--rule", rule, "--label", LABEL, *options]

    def pretrain(self, arm: Arm, seed: int, run: Path) -> list[str]:
        """Trains an arm into the folder ``run``."""
        common = {
            "views.size": self.size,
            "train.batch_size": 64,
            "train.lr": 2e-3,
            "train.epochs": self.epochs,
            "train.seed": seed,
        }
        start = ["medical", "pretrain", str(self.samples), "--out", str(run), "--encoder", "small_conv"]
        # Options of the arm come last, as the last --set wins.
        return [*start, *settings(common), *(word.format(seed=seed) for word in arm.options)]

    def probes(self, arm: Arm, seed: int, run: Path) -> list[list[str]]:
        """Probes a run for the label and for the scanner. The floors are the same for every run: only one has them."""
        first = arm.name == "random" and seed == self.seed
        floors = ["--floor", "cst", "--handmade"] if first else []
        few = f"{self.fractions[1]}"
        return [
            self._probe(run, LABEL, ",".join(map(str, self.fractions)), floors),
            self._probe(run, NUISANCE, few, []),
        ]

    def _probe(self, run: Path, label: str, fractions: str, floors: list[str]) -> list[str]:
        options = ["--label", label, "--fractions", fractions, "--draws", str(self.draws), "--alone", *floors]
        return ["medical", "probe", str(run), *options]
