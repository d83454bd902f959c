"""Kill every command at random moments, run two at once, and fill the disk: ``harness.py kills|term|twice|full``.

Prints a JSON object: the number of trials of each stage, and a sentence for each that went wrong.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from pathlib import Path

import children
import stages
from stages import STAGES, Stage, contents, leftovers, workspace

_INCREMENTAL = {"samples.store", "run"}
"""Artefacts that may be there unfinished, as their own files say how far they are."""


class Trials:
    """Trials in folders of their own, and what went wrong in them."""

    def __init__(self, base: Path, seed: int) -> None:
        self.base, self.draws = base, random.Random(seed)
        stages.make_whole(base)
        self.expected: dict[str, dict[str, str | None]] = {}
        self.cpu: dict[str, float] = {}
        self.counts: dict[str, int] = {}
        self.ended: dict[str, int] = {}
        self.wrong: list[str] = []

    def left_alone(self, stage: Stage) -> None:
        """Run a stage undisturbed: what it makes, and how long it takes."""
        if stage.name in self.expected:
            return
        folder = workspace(self.base, stage)
        ended = children.run(stage.words(folder), folder)
        if ended.code:
            raise RuntimeError(f"{stage.name} ended with {ended.code}: {ended.said}")
        self.expected[stage.name], self.cpu[stage.name] = contents(folder, stage), ended.cpu
        if left := leftovers(folder):
            self.wrong.append(f"{stage.name} left alone leaves {left}")

    def finished(self, stage: Stage, folder: Path, what: str) -> None:
        """Run a stage again and compare."""
        if stage.once and contents(folder, stage) == self.expected[stage.name]:
            return
        again = children.run(stage.words(folder), folder)
        if again.code:
            self.wrong.append(f"{what}: run again, it ends with {again.code}: {again.said.strip()[-400:]}")
            return
        made, expected = contents(folder, stage), self.expected[stage.name]
        self.wrong += [f"{what}: {name} differs: {made[name]}" for name in made if made[name] != expected[name]]
        if left := leftovers(folder):
            self.wrong.append(f"{what}: it leaves {left}")

    def kill(self, stage: Stage, *, term: bool = False) -> None:
        """Kill a stage at a random moment; nothing may look finished then; run again, it makes the same."""
        self.left_alone(stage)
        folder, moment = workspace(self.base, stage), self.draws.random() * self.cpu[stage.name]
        what = f"{stage.name} {'terminated' if term else 'killed'} after {moment:.3f} of {self.cpu[stage.name]:.3f} s"
        ended = children.run(stage.words(folder), folder, cpu=moment, term=term)
        self._count(stage, ended.code != 0)
        if term and (ended.code not in (0, 130) or (ended.code and ended.said.count("error: interrupted") != 1)):
            self.wrong.append(f"{what}: it ends with {ended.code}: {ended.said.strip()[-400:]}")
        if term and "Traceback" in ended.said:
            self.wrong.append(f"{what}: a traceback: {ended.said.strip()[-400:]}")
        for name, made in contents(folder, stage).items():
            if made is not None and made != self.expected[stage.name][name] and name not in _INCREMENTAL:
                self.wrong.append(f"{what}: {name} looks finished and is not: {made}")
        self.finished(stage, folder, what)

    def full(self, stage: Stage, largest: int) -> None:
        """Let writes beyond a size fail: exit code 5, whole files, no leftovers; run again, it makes the same."""
        self.left_alone(stage)
        folder = workspace(self.base, stage)
        what = f"{stage.name} with files of {largest} bytes at most"
        ended = children.run(stage.words(folder), folder, largest_file=largest)
        self._count(stage, ended.code != 0)
        if ended.code not in (0, 5) or "Traceback" in ended.said:
            self.wrong.append(f"{what}: it ends with {ended.code}: {ended.said.strip()[-600:]}")
        for name, made in contents(folder, stage).items():
            if made is not None and made != self.expected[stage.name][name] and name not in _INCREMENTAL:
                self.wrong.append(f"{what}: {name} looks finished and is not: {made}")
        if left := [one for one in leftovers(folder) if ".scanning" not in one]:
            self.wrong.append(f"{what}: it leaves {left}")
        self.finished(stage, folder, what)

    def twice(self, stage: Stage) -> None:
        """Start a stage again while the first one writes: it is refused by process id, or both make the same."""
        self.left_alone(stage)
        folder = workspace(self.base, stage)
        first = children.start_paused(stage.words(folder), folder, stage.pause)
        second = children.run(stage.words(folder), folder)
        one = first.go_on()
        self._count(stage, second.code == 2)
        what = f"{stage.name} twice at once"
        if one.code:
            self.wrong.append(f"{what}: the first ends with {one.code}: {one.said.strip()[-400:]}")
        if second.code not in (0, 2) or (second.code and f"by process {first.pid}" not in second.said):
            self.wrong.append(f"{what}: the second ends with {second.code}: {second.said.strip()[-400:]}")
        made, expected = contents(folder, stage), self.expected[stage.name]
        self.wrong += [f"{what}: {name} differs: {made[name]}" for name in made if made[name] != expected[name]]
        if left := leftovers(folder):
            self.wrong.append(f"{what}: it leaves {left}")

    def _count(self, stage: Stage, stopped: bool) -> None:
        self.counts[stage.name] = self.counts.get(stage.name, 0) + 1
        self.ended[stage.name] = self.ended.get(stage.name, 0) + stopped


def main(words: list[str]) -> int:
    """Run the trials that the command line asks for; exit code 1 when one went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("kills", "term", "twice", "full"))
    parser.add_argument("--number", type=int, default=60, help="kills in all, spread over the stages")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--stages", default=",".join(STAGES))
    parser.add_argument("--sizes", default="0,200,2000,20000,100000", help="largest sizes of a file, in bytes")
    given = parser.parse_args(words)
    chosen = [STAGES[name] for name in given.stages.split(",")]
    children.warm()
    with tempfile.TemporaryDirectory() as base:
        trials = Trials(Path(base), given.seed)
        if given.what in ("kills", "term"):
            for number in range(given.number):
                trials.kill(chosen[number % len(chosen)], term=given.what == "term")
        for stage in chosen if given.what == "twice" else ():
            trials.twice(stage)
        for stage in chosen if given.what == "full" else ():
            for size in given.sizes.split(","):
                trials.full(stage, int(size))
        cpu = {name: round(seconds, 2) for name, seconds in trials.cpu.items()}
    print(json.dumps({"trials": trials.counts, "stopped": trials.ended, "cpu": cpu, "wrong": trials.wrong}, indent=2))
    return int(bool(trials.wrong))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
