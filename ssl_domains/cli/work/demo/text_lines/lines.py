"""The arms of the demonstration of text lines, and the command lines that make them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.lines import DemoLines, settings

__all__ = ["ARMS", "COLUMN", "EFFORT", "LABELS", "RANDOM", "READ", "SCRATCH", "LineLines"]

RANDOM = "random"
"""The run of random weights, from which scratch starts."""

ARMS = (
    Arm("window", "SeqCLR, five windows of a line", ("--set", "method.mapping=window")),
    Arm("frame", "SeqCLR, each frame", ("--set", "method.mapping=frame")),
    Arm(RANDOM, "random weights", ("--set", "train.epochs=0")),
)
"""In the order of the table."""

COLUMN = "text_96"
"""Column of the transcripts of 96 training strips and of all test strips."""

LABELS = {24: 0.25, 96: 1.0}
"""Number of labelled training strips → share of those with a transcript in `COLUMN`."""

SCRATCH, EFFORT = "scratch-steps", "scratch-effort"
"""Beginnings of the folders of scratch at equal steps and at equal effort."""

READ = ("window", "frame", f"{EFFORT}-96")
"""Fine-tuned models that read the test strips for the page."""

_ENCODER = "line_conv"
"""Of few lines, an encoder whose frames know the whole line learns which line it is, and not its characters."""

_RATE = 3e-3
"""Learning rate with labels, the same for pre-trained and random weights."""

_BATCH, _BATCH_OF_LABELS = 64, 32
_VIEWS = 2


@dataclass(frozen=True)
class LineLines(DemoLines):
    """The command lines of the demonstration of text lines.

    Attributes:
        steps: Steps of each pre-training; a fine-tuning and the head of a frozen probe take twice as many.
    """

    DOMAIN: ClassVar[str] = "lines"
    PAGE: ClassVar[str] = "strips.html"
    steps: int = 120

    @property
    def tuning_steps(self) -> int:
        """Steps of a fine-tuning, and of scratch at equal steps."""
        return 2 * self.steps

    @property
    def test(self) -> Path:
        """The table of the test strips."""
        return self.out / "test.parquet"

    def effort_steps(self, labels: int) -> int:
        """Steps of scratch at equal effort: as many views as pre-training and fine-tuning of a run together."""
        from ssl_domains.finetuning.measuring.effort import Effort, equal_effort_steps

        views = Effort(self.steps * _BATCH * _VIEWS)
        return equal_effort_steps(self.tuning_steps, min(_BATCH_OF_LABELS, labels), views)

    def tuned_folder(self, name: str) -> Path:
        """Run folder of a fine-tuning."""
        return self.out / "tuned" / name

    def read_file(self, name: str) -> Path:
        """The test strips as a fine-tuned model read them."""
        return self.out / "read" / f"{name}.csv"

    def scan(self) -> list[str]:
        """Makes the sample table; only digits are in the alphabet."""
        table = ["--join", str(self.data / "lines.csv"), "--on", "entry"]
        return ["lines", "scan", str(self.data / "lines.lmdb"), "-o", str(self.samples), "--alphabet", "digits", *table]

    def test_strips(self) -> list[str]:
        """Makes the table of the test strips."""
        return ["tables", "filter", str(self.samples), "--where", "split=test", "-o", str(self.test)]

    def pairs(self) -> list[str]:
        """Judges the pairs: positives are views of one strip, place by place."""
        options = ["--set", f"train.batch_size={_BATCH}", "--html", str(self.out / "pairs.html")]
        return ["lines", "pairs", str(self.samples), "--rule", "none", *options]

    def pretrain(self, arm: Arm) -> list[str]:
        """Trains an arm."""
        common = {
            "train.batch_size": _BATCH,
            "train.lr": 2e-3,
            "train.max_steps": self.steps,
            "train.seed": self.seed,
        }
        start = ["lines", "pretrain", str(self.samples), "--out", str(self.run_folder(arm.name))]
        options = ["--method", "seqclr", "--encoder", _ENCODER, *settings(common)]
        # Options of the arm come last, as the last --set wins.
        return [*start, *options, *arm.options]

    def finetune(self, arm: str) -> list[str]:
        """Fine-tunes a run with both numbers of labels, beside its frozen probe."""
        return self._finetune(arm, arm, list(LABELS), self.tuning_steps)

    def scratch(self) -> list[str]:
        """Trains random weights with the steps of a fine-tuning; its frozen probe is that of random weights."""
        return self._finetune(RANDOM, SCRATCH, list(LABELS), self.tuning_steps)

    def scratch_effort(self, labels: int) -> list[str]:
        """Trains random weights with the effort of pre-training and fine-tuning together."""
        steps = self.effort_steps(labels)
        return self._finetune(RANDOM, f"{EFFORT}-{labels}", [labels], steps)

    def predict(self, name: str) -> list[str]:
        """Reads the test strips with a fine-tuned model."""
        return ["lines", "predict", str(self.tuned_folder(name)), str(self.test), "-o", str(self.read_file(name))]

    def _finetune(self, run: str, name: str, labels: list[int], steps: int) -> list[str]:
        shares = ",".join(f"{LABELS[count]:g}" for count in labels)
        # With every strip a group of its own, the shares are numbers of strips. Test strips are of other writers.
        drawn = ["--transcripts", COLUMN, "--group", "entry", "--fractions", shares, "--draws", "1", "--no-scratch"]
        values = {
            "train.max_steps": steps,
            "train.batch_size": _BATCH_OF_LABELS,
            "train.seed": self.seed,
            "train.lr": _RATE,
            "method.head_start": "fresh",
            "method.probe_steps": self.tuning_steps,
        }
        folders = ["--from", str(self.run_folder(run)), "--out", str(self.tuned_folder(name))]
        return ["lines", "finetune", str(self.samples), *folders, *drawn, *settings(values)]
