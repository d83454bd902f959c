"""Play a demonstration with several seeds of its data, and test in each what it claims.

Usage: ``python tests/demonstration/check.py FOLDER [--domain audio] [--seeds 3] [--first 0]``; exit code 1 where a
claim is broken. Every seed draws other data and other weights. It is not part of the test suite, as it takes minutes
for each seed. ``--again`` reads seeds that were played before in place of playing them.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ssl_domains.cli.console import table
from ssl_domains.cli.work.demo.audio.lines import AudioLines
from ssl_domains.cli.work.demo.audio.scores import CLAIMS, AudioScores
from ssl_domains.cli.work.demo.medical.lines import ARMS, MedicalLines
from ssl_domains.cli.work.demo.medical.scores import CLAIM, Scores

FLOORS_AT_MOST = 0.45
"""HOG and mean grey must not find the cysts: with 10 labelled patients they stay near chance, 0.333."""

Read = Callable[[Path, int], tuple[list[str], list[str]]]
"""From the folder of a demonstration and its seed to (scores as text, broken claims in words)."""


@dataclass(frozen=True)
class Checked:
    """What is checked of one demonstration.

    Attributes:
        claim: What it claims, in words.
        columns: Names of the scores.
        read: Reads one seed.
        options: Further options of its command line.
    """

    claim: str
    columns: Sequence[str]
    read: Read
    options: tuple[str, ...] = ()


def medical(folder: Path, seed: int) -> tuple[list[str], list[str]]:
    """Scores of the label of each arm."""
    scores = Scores.read(MedicalLines(folder, seed), [seed])
    return [f"{scores.arm(arm.name).label[1]:.3f}" for arm in ARMS], [*scores.broken(), *high_floors(scores)]


def audio(folder: Path, seed: int) -> tuple[list[str], list[str]]:
    """Word, speaker on random clips and speaker on the last day, of each arm."""
    scores = AudioScores.read(AudioLines(folder, seed))
    cells = [f"{row.words[-1]:.3f} / {row.random:.3f} / {row.session:.3f}" for row in scores.arms]
    return cells, scores.broken()


CHECKED = {
    "medical": Checked(
        f"Balanced accuracy of the label with 10 labelled patients; claimed: {CLAIM}",
        [arm.name for arm in ARMS],
        medical,
        ("--seeds", "1"),
    ),
    "audio": Checked(
        f"Word on new speakers / known speaker on random clips / on the last day; claimed: {'; '.join(CLAIMS)}",
        AudioScores.NAMES,
        audio,
    ),
}


def main() -> int:
    """Play, print the scores of each seed, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--domain", choices=sorted(CHECKED), default="medical")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--again", action="store_true", help="read seeds that were played before")
    given = parser.parse_args()
    checked = CHECKED[given.domain]
    rows, faults = [], []
    for seed in range(given.first, given.first + given.seeds):
        folder = given.folder / f"seed-{seed}"
        start = time.monotonic()
        if not (given.again and folder.is_dir()):
            demo = ["demo", "--domain", given.domain, "--out", str(folder), "--seed", str(seed), *checked.options]
            subprocess.run([sys.executable, "-m", "ssl_domains", *demo], check=True, stdout=subprocess.DEVNULL)
        cells, broken = checked.read(folder, seed)
        rows.append([seed, *cells, round(time.monotonic() - start)])
        faults += [f"seed {seed}: {text}" for text in broken]
    print(checked.claim)
    print(table(["seed", *checked.columns, "seconds"], rows))
    for text in faults:
        print(text)
    print("a claim is broken" if faults else "every claim holds in every seed")
    return int(bool(faults))


def high_floors(scores: Scores) -> list[str]:
    """Hand-made features that score more than they should, in words."""
    handmade = [row for row in scores.floors if "hand-made" in row.name]
    assert len(handmade) == 2
    return [f"{row.name} scores {row.label[1]:.3f}" for row in handmade if row.label[1] > FLOORS_AT_MOST]


if __name__ == "__main__":
    sys.exit(main())
