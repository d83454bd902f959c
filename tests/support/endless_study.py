"""A study whose trainings never end, run by ``python endless_study.py PICTURES OUT`` with two worker processes.

A worker prints its number when it begins a cell.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import small_study
from ssl_domains.cli.failures import guarded
from ssl_domains.engine import RunConfig
from ssl_domains.samples import SampleTable
from ssl_domains.studies import Arm
from ssl_domains.studies.measuring.run import run_study
from ssl_domains.views import ViewRecipe

ENDLESS = 10**6


def make_recipe(table: SampleTable, config: RunConfig) -> ViewRecipe:
    if config.train.max_steps == ENDLESS:
        print(os.getpid(), "begins a cell", flush=True)
    return small_study.make_recipe(table, config)


def main(pictures: Path, out: Path) -> None:
    import endless_study  # by its own name, as the workers import it

    material = small_study.make_material(pictures, out, recipe=endless_study.make_recipe)
    near = Arm("near", "same place", "rule", "same('place')", reads=frozenset(["place"]))
    plan = small_study.make_plan(material, (near,), steps=ENDLESS)
    run_study(material, plan, "", jobs=2, say=print)


if __name__ == "__main__":
    sys.exit(guarded(lambda: main(*map(Path, sys.argv[1:])), lambda: True))
