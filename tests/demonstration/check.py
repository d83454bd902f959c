"""Play the medical demonstration with several seeds of its data, and test the order of arms that it claims in each.

Usage: ``python tests/demonstration/check.py FOLDER [--seeds 3] [--first 0]``; exit code 1 where the order is broken.
Every seed draws other data and other weights. It is not part of the test suite, as it takes minutes for each seed.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from pathlib import Path

from ssl_domains.cli.console import table
from ssl_domains.cli.work.demo.medical.lines import ARMS, MedicalLines
from ssl_domains.cli.work.demo.medical.scores import CLAIM, ORDER, Scores

FLOORS_AT_MOST = 0.45
"""HOG and mean grey must not find the cysts: with 10 labelled patients they stay near chance, 0.333."""


def main() -> int:
    """Play, print the scores of each seed, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--first", type=int, default=0)
    given = parser.parse_args()
    rows, faults = [], []
    for seed in range(given.first, given.first + given.seeds):
        folder = given.folder / f"seed-{seed}"
        start = time.monotonic()
        words = [sys.executable, "-m", "ssl_domains", "demo", "--out", str(folder), "--seed", str(seed), "--seeds", "1"]
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
        scores = Scores.read(MedicalLines(folder, seed), [seed])
        rows.append([seed, *(f"{scores.arm(arm.name).label[1]:.3f}" for arm in ARMS), round(time.monotonic() - start)])
        faults += [f"seed {seed}: {text}" for text in [*scores.broken(), *high_floors(scores)]]
    print(f"Balanced accuracy of the label with 10 labelled patients; claimed: {CLAIM}")
    print(table(["seed", *(arm.name for arm in ARMS), "seconds"], rows))
    for text in faults:
        print(text)
    print("the order is broken" if faults else f"the order of {sum(map(len, ORDER))} arms holds in every seed")
    return int(bool(faults))


def high_floors(scores: Scores) -> list[str]:
    """Hand-made features that score more than they should, in words."""
    handmade = [row for row in scores.floors if "hand-made" in row.name]
    assert len(handmade) == 2
    return [f"{row.name} scores {row.label[1]:.3f}" for row in handmade if row.label[1] > FLOORS_AT_MOST]


if __name__ == "__main__":
    sys.exit(main())
