"""The fisheye demonstration: train and probe five arms on the fisheye demo data, each by its own command line."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ssl_domains.cli.command_line import typed
from ssl_domains.cli.console import note, table
from ssl_domains.cli.work.demo.arm import Arm
from ssl_domains.cli.work.demo.folder import COMMANDS, make_room
from ssl_domains.errors import DataError
from ssl_domains.extending import Domain

__all__ = ["ARMS", "Arm", "FisheyeDemonstration"]

Invoke = Callable[[Sequence[str]], None]
"""Runs one command line of ``ssl-domains`` in this process."""

LABEL = "class"
PAIRS = "region"
METRIC = "balanced accuracy"
# With three regions, any random batch has positives. Batches of groups are set explicitly, so that the control with
# the rule's batches differs from plain SimCLR.
RULE = ("--pairs", PAIRS, "--set", "pairs.composition=groups", "--set", "pairs.per_group=16")


ARMS = (
    Arm("random", "random initialisation, no training", ("--set", "train.epochs=0")),
    Arm("simclr", "SimCLR, random batches", ()),
    Arm("composed", "SimCLR with the rule's batches", (*RULE, "--relations", "none")),
    Arm("region", "positives share a region of the lens", RULE),
    Arm("shuffled", "region, metadata shuffled (control)", (*RULE, "--shuffle-metadata", "{seed}")),
)


@dataclass(frozen=True)
class FisheyeDemonstration:
    """The demonstration in a folder.

    Attributes:
        out: The folder.
        domain: The fisheye domain.
        seeds: Number of trainings of each arm.
        epochs: Epochs of each training.
        size: Side of the canvas in pixels.
        first: Seed of the data and of the first training; the others follow.
    """

    out: Path
    domain: Domain
    seeds: int = 2
    epochs: int = 8
    size: int = 32
    first: int = 0

    @property
    def all_seeds(self) -> range:
        """Seeds of the trainings."""
        return range(self.first, self.first + self.seeds)

    @property
    def samples(self) -> Path:
        """The sample table."""
        return self.out / "samples.parquet"

    def run_folder(self, arm: Arm, seed: int) -> Path:
        """Run folder of a training."""
        return self.out / "runs" / f"{arm.name}-{seed}"

    def scan_command(self) -> list[str]:
        """The command line that makes the sample table."""
        group = self.domain.group or "recording"
        return [self.domain.name, "scan", str(self.out / "data"), "-o", str(self.samples), "--split-by", group]

    def pairs_command(self) -> list[str]:
        """The command line that checks the pairs."""
        return [self.domain.name, "pairs", str(self.samples), "--pairs", PAIRS, "--label", LABEL]

    def pretrain_command(self, arm: Arm, seed: int, run: Path) -> list[str]:
        """The command line that trains an arm into the folder ``run``."""
        common = {"train.epochs": self.epochs, "train.seed": seed, "views.size": self.size}
        sets = [word for key, value in common.items() for word in ("--set", f"{key}={value}")]
        options = [word.format(seed=seed) for word in arm.options]
        # Options of the arm come last, as the last --set wins.
        return [
            self.domain.name, "pretrain", str(self.samples), "--out", str(run), "--encoder", "small_conv",
            *sets, *options,
        ]  # fmt: skip

    def probe_command(self, run: Path) -> list[str]:
        """The command line that probes a run."""
        return [self.domain.name, "probe", str(run), "--label", LABEL]

    def play(self, invoke: Invoke) -> str:
        """Run the whole demonstration; every step is a command line that a user can type.

        Args:
            invoke: Runs one command line.

        Returns:
            The table of scores and the path of the report, as text.

        Raises:
            UsageError: When the folder holds other files.
            DataError: When the domain has no demo data.
        """
        make_room(self.out, ("runs", "samples.store"))
        if self.domain.demo_data is None:
            raise DataError(f"{self.domain.name} has no demo data", "update the plugin")
        (self.out / COMMANDS).write_text(self.script(), encoding="utf-8")
        note(self.domain.demo_data(self.out / "data", self.first))
        invoke(self.scan_command())
        invoke(self.pairs_command())
        trainings = [(arm, seed) for seed in self.all_seeds for arm in ARMS]
        for number, (arm, seed) in enumerate(trainings, start=1):
            note(f"\n[{number}/{len(trainings)}] {arm.about}, seed {seed}")
            run = self.run_folder(arm, seed)
            with contextlib.redirect_stdout(io.StringIO()):  # hide the table of each run
                invoke(self.pretrain_command(arm, seed, run))
                invoke(self.probe_command(run))
        shown = self.run_folder(next(arm for arm in ARMS if arm.name == "region"), self.first)
        with contextlib.redirect_stdout(io.StringIO()):
            invoke([self.domain.name, "report", str(shown)])
        return f"{self.results()}\n\nreport: {shown / 'report.html'}\ncommand lines: {self.out / COMMANDS}"

    def script(self) -> str:
        """All command lines as text. Their run folders are other ones, so that typing them overwrites nothing."""
        lines = [
            "# What the demonstration ran, for typing by hand. Run folders are by-hand/… instead of runs/…;",
            "# each gives the same row of the table.",
            typed(self.scan_command()),
            typed(self.pairs_command()),
        ]
        for arm in ARMS:
            for seed in self.all_seeds:
                run = self.out / "by-hand" / f"{arm.name}-{seed}"
                lines += [f"# {arm.about}, seed {seed}", typed(self.pretrain_command(arm, seed, run))]
                lines.append(typed(self.probe_command(run)))
        return "\n".join(lines) + "\n"

    def results(self) -> str:
        """The table of scores, from the run folders: mean over seeds and each seed, by linear and by k-NN probe."""
        seeds = self.all_seeds
        rows: list[list[Any]] = []
        for arm in ARMS:
            row: list[Any] = [arm.about]
            for probe in ("linear", "k-NN"):
                values = [self.score(self.run_folder(arm, seed), probe) for seed in seeds]
                row += [_mean(values), *values]
            rows.append([_three(value) for value in row])
        for name, value in self.floors():
            rows.append([name, _three(value), *["–"] * (2 * self.seeds + 1)])
        header = ["features"]
        for probe in ("linear", "k-NN"):
            header += [f"{probe} mean", *(f"seed {seed}" for seed in seeds)]
        title = f"A demonstration, not evidence: {METRIC} of {LABEL!r} on held-out groups"
        return f"{title}\n{table(header, rows)}"

    def score(self, run: Path, probe: str) -> float | None:
        """The leading score of the frozen encoder of a run."""
        report = _report(run)
        arm = next(row.arm for row in report.rows if row.arm.startswith("frozen encoder"))
        headline: float | None = report.headline(arm, probe)
        return headline

    def floors(self) -> list[tuple[str, float | None]]:
        """(name, score) of the nuisance-only floors, which are the same for every arm."""
        report = _report(self.run_folder(ARMS[0], self.first))
        frozen = {"linear", "k-NN"}
        return [(row.arm, row.values.get(METRIC)) for row in report.rows if row.probe not in frozen]


def _report(run: Path) -> Any:
    from ssl_domains.evaluation import read_probe_reports

    return next(report for report in read_probe_reports(run) if report.label == LABEL)


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None


def _three(value: Any) -> str:
    return f"{value:.3f}" if isinstance(value, float) else "–" if value is None else str(value)
