"""The arms of the audio demonstration, and the command lines that make them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.lines import DemoLines, settings

__all__ = ["ARMS", "FLOORS_BY", "LONGEST", "RULE", "AudioLines"]

RULE = "other_session"
"""The rule whose pairs are shown on the page."""

_FORMATS = (
    *("--method", "multi_format", "--pairs", "formats", "--encoder", "wave+mel_conv"),
    *("--set", "input.form=wave+mel"),
)

ARMS = (
    Arm("clip", "SimCLR: views of one clip", ()),
    Arm("session", "session: positives share a session", ("--pairs", "session")),
    Arm("speaker", "speaker: positives share a speaker", ("--pairs", "speaker")),
    Arm("other_session", "other_session: same speaker, other session", ("--pairs", "other_session")),
    Arm("within_speaker", "within_speaker: negatives of the same speaker", ("--pairs", "within_speaker")),
    Arm("formats", "multi_format: waveform against spectrogram", _FORMATS),
    Arm("random", "random weights, no training", ("--set", "train.epochs=0")),
)
"""In the order of the table."""

FLOORS_BY = "random"
"""The arm whose probes have the floors: they are the same for all."""

LONGEST = "formats"
"""The arm that trains longest."""

_SHORTEST_S, _LONGEST_S = "0.45", "1"
_LAST_DAY = 3


@dataclass(frozen=True)
class AudioLines(DemoLines):
    """The command lines of the audio demonstration.

    Attributes:
        steps: Steps of each training.
        draws: Draws of labelled speakers.
    """

    DOMAIN: ClassVar[str] = "audio"
    PAGE: ClassVar[str] = "pairs.html"
    steps: int = 200
    draws: int = 3

    @property
    def united(self) -> Path:
        """The table of the scan, with one id for each speaker."""
        return self.out / "united.parquet"

    @property
    def earlier(self) -> Path:
        """The samples of the days before the last one, which trainings take their rows from."""
        return self.out / "earlier.parquet"

    @property
    def known(self) -> Path:
        """The samples of the training speakers, split by day: the last one is held out."""
        return self.out / "known.parquet"

    def scan(self) -> list[str]:
        """Makes the table of all recordings."""
        table = ["--join", str(self.data / "clips.csv"), "--on", "path=file"]
        return ["audio", "scan", str(self.data / "recordings"), "-o", str(self.scanned), *table]

    def audit(self, table: Path, *, as_json: bool = False) -> list[str]:
        """Compares the sides of the split of a table, near copies included."""
        options = ["--split", "split", "--group", "speaker", "--near", *(["--json"] if as_json else [])]
        return ["splits", "audit", str(table), *options]

    def unite(self, ids: Mapping[str, tuple[str, str]]) -> list[str]:
        """Makes one speaker of two ids.

        Args:
            ids: Column → (id, the id that it gets), as the near copies show them.
        """
        words = [word for name, (one, other) in ids.items() for word in ("--ids", f"{name}:{one}={other}")]
        return ["tables", "unite", str(self.scanned), *words, "-o", str(self.united)]

    def clean(self) -> list[str]:
        """Leaves out recordings of other lengths: cut short, played at a wrong rate, or long."""
        words = [word for bound in (f">={_SHORTEST_S}", f"<{_LONGEST_S}") for word in ("--where", f"seconds{bound}")]
        return ["tables", "filter", str(self.united), *words, "-o", str(self.samples)]

    def earlier_days(self) -> list[str]:
        """Makes the table without the last day."""
        return ["tables", "filter", str(self.samples), "--where", f"day<{_LAST_DAY}", "-o", str(self.earlier)]

    def known_speakers(self) -> list[list[str]]:
        """Makes the table of the training speakers, and splits it by day."""
        days = ["--on", "day", "--update"]
        return [
            ["tables", "filter", str(self.samples), "--where", "split=train", "-o", str(self.known)],
            ["tables", "join", str(self.known), str(self.data / "days.csv"), *days],
        ]

    def pairs(self) -> list[str]:
        """Judges the pairs of the rule, with a page of pictures and players."""
        options = ["--set", "train.batch_size=128", "--html", str(self.page)]
        return ["audio", "pairs", str(self.earlier), "--pairs", RULE, "--label", "word", *options]

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
        encoder = [] if "--encoder" in arm.options else ["--encoder", "mel_conv"]
        start = ["audio", "pretrain", str(self.earlier), "--out", str(self.run_folder(arm.name)), *encoder]
        # Options of the arm come last, as the last --set wins.
        return [*start, *settings(common), *arm.options]

    def probes(self, arm: Arm) -> list[list[str]]:
        """Probes of a run: the word on new speakers; which known speaker, on random clips and on the last day."""
        floors = ["--handmade"] if arm.name == FLOORS_BY else ["--alone"]
        start = ["audio", "probe", str(self.run_folder(arm.name)), "--samples"]
        # One, two and all of eight speakers.
        few = ["--fractions", "0.125,0.25,1", "--draws", str(self.draws)]
        return [
            [*start, str(self.samples), "--label", "word", "--group", "speaker", *few, *floors],
            [*start, str(self.known), "--label", "speaker", "--group", "sample", "--folds", "3", *floors],
            [*start, str(self.known), "--label", "speaker", "--group", "day", *floors],
        ]

    def report(self) -> list[str]:
        """Writes the report of the run whose pairs are shown."""
        return ["audio", "report", str(self.run_folder(RULE))]
