"""The arms of the audio demonstration, and the command lines that make them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ssl_domains.cli.work.demo.arm import Arm

__all__ = ["ARMS", "FLOORS_BY", "RULE", "AudioLines"]

RULE = "other_session"
"""The rule whose pairs are shown on the page."""

ARMS = (
    Arm("clip", "SimCLR: views of one clip", ()),
    Arm("session", "session: positives share a session", ("--pairs", "session")),
    Arm("speaker", "speaker: positives share a speaker", ("--pairs", "speaker")),
    Arm("other_session", "other_session: same speaker, other session", ("--pairs", "other_session")),
    Arm("within_speaker", "within_speaker: negatives of the same speaker", ("--pairs", "within_speaker")),
    Arm("random", "random weights, no training", ("--set", "train.epochs=0")),
)
"""In the order of the table."""

FLOORS_BY = "random"
"""The arm whose probes have the floors: they are the same for all."""

_SHORTEST_S, _LONGEST_S = "0.45", "1"


@dataclass(frozen=True)
class AudioLines:
    """The command lines of the demonstration, each as words after ``ssl-domains``.

    Attributes:
        out: Folder of the demonstration.
        seed: Seed of the data and of the trainings.
        steps: Steps of each training.
        draws: Draws of labelled speakers.
    """

    out: Path
    seed: int = 0
    steps: int = 200
    draws: int = 3

    @property
    def scanned(self) -> Path:
        """The table of the scan, planted faults included."""
        return self.out / "scanned.parquet"

    @property
    def samples(self) -> Path:
        """The sample table, without the faults that were found."""
        return self.out / "samples.parquet"

    @property
    def unseen(self) -> Path:
        """The samples of the speakers that no training saw."""
        return self.out / "unseen.parquet"

    @property
    def page(self) -> Path:
        """The page of pairs."""
        return self.out / "pairs.html"

    def run_folder(self, arm: str) -> Path:
        """Run folder of a training."""
        return self.out / "runs" / arm

    def demo_data(self) -> list[str]:
        """Writes the data."""
        return ["audio", "demo-data", str(self.out / "data"), "--seed", str(self.seed)]

    def scan(self) -> list[str]:
        """Makes the table of all recordings."""
        data = self.out / "data"
        table = ["--join", str(data / "clips.csv"), "--on", "path=file"]
        return ["audio", "scan", str(data / "recordings"), "-o", str(self.scanned), *table]

    def audit(self, *, as_json: bool = False) -> list[str]:
        """Compares the sides of the split; near copies of test clips are in training."""
        options = ["--split", "split", "--group", "speaker", "--near", *(["--json"] if as_json else [])]
        return ["splits", "audit", str(self.scanned), *options]

    def clean(self, twin: str) -> list[str]:
        """Leaves out an id that is another speaker again, and the recordings of other lengths.

        Args:
            twin: The id, as the audit found it.
        """
        conditions = [f"speaker!={twin}", f"seconds>={_SHORTEST_S}", f"seconds<{_LONGEST_S}"]
        words = [word for condition in conditions for word in ("--where", condition)]
        return ["tables", "filter", str(self.scanned), *words, "-o", str(self.samples)]

    def unseen_speakers(self) -> list[str]:
        """Makes the table of the test speakers."""
        return ["tables", "filter", str(self.samples), "--where", "split=test", "-o", str(self.unseen)]

    def pairs(self) -> list[str]:
        """Judges the pairs of the rule, with a page of pictures and players."""
        options = ["--set", "train.batch_size=128", "--html", str(self.page)]
        return ["audio", "pairs", str(self.samples), "--pairs", RULE, "--label", "word", *options]

    def pretrain(self, arm: Arm) -> list[str]:
        """Trains an arm."""
        common = {
            "input.rate": 8000,
            "input.bands": 40,
            "input.window": 256,
            "input.hop": 80,
            "encoder.segments": 4,
            "train.batch_size": 128,
            "train.lr": 2e-3,
            "train.max_steps": self.steps,
            "train.seed": self.seed,
        }
        sets = [word for key, value in common.items() for word in ("--set", f"{key}={value}")]
        out = ["--out", str(self.run_folder(arm.name)), "--encoder", "mel_conv"]
        # Options of the arm come last, as the last --set wins.
        return ["audio", "pretrain", str(self.samples), *out, *sets, *arm.options]

    def probes(self, arm: Arm) -> list[list[str]]:
        """Probes of a run: the word on new speakers; the speaker on random thirds of the clips, and by session."""
        floors = ["--handmade"] if arm.name == FLOORS_BY else ["--alone"]
        run = str(self.run_folder(arm.name))
        # One, two and all of eight speakers.
        few = ["--fractions", "0.125,0.25,1", "--draws", str(self.draws)]
        word = ["audio", "probe", run, "--samples", str(self.samples), "--label", "word", "--group", "speaker", *few]
        speaker = ["audio", "probe", run, "--samples", str(self.unseen), "--label", "speaker", "--folds", "3"]
        return [[*word, *floors], *([*speaker, "--group", group, *floors] for group in ("sample", "session"))]
