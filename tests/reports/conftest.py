"""A run as the engine makes it, small: bars across and along in twelve groups, a few epochs, one probe."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ssl_domains.engine import Parts, Run, load_config, pretrain
from ssl_domains.evaluation import probe_run
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, parse
from ssl_domains.samples import SampleTable, write_table
from ssl_domains.stores import ArrayStore
from ssl_domains.views import HorizontalFlip, Noise, Scaling, ViewRecipe
from stack_reader import StackReader

RULE = "0.5*same('kind') + 0.5*same('patient')"
SETTINGS = (
    "encoder.name=small_conv",
    "views.size=32",
    "head.hidden=16",
    "head.out=8",
    "train.epochs=3",
    "train.batch_size=16",
    "train.device=cpu",
    "health.every_steps=2",
    "health.label=kind",
)


@dataclass
class World:
    table: SampleTable
    store: ArrayStore
    samples: Path
    run: Run


def pictures(channels: int, rows: int) -> tuple[np.ndarray, pl.DataFrame]:
    rng = np.random.default_rng(0)
    stack, table = [], []
    for group in range(12):
        for row in range(rows):
            along = row % 2
            place = int(rng.integers(4, 24))
            image = rng.integers(0, 60, (28, 32, channels))
            if along:
                image[place : place + 3, :, :1] += 180
            else:
                image[:, place : place + 3, -1:] += 180
            stack.append(image.astype(np.uint8))
            kind = "along <b>&</b>" if along else "across"
            side = "test" if group % 4 == 3 else "train"
            table.append((f"g{group:02d}-{row}", len(table), f"Miller-{group:02d}", kind, place + 0.5, side))
    schema = ["sample", "index", "patient", "kind", "place", "split"]
    return np.stack(stack), pl.DataFrame(table, schema=schema, orient="row")


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """``make_world(folder)`` trains and probes; ``sets`` are settings beside those of every run here."""

    def make(folder: Path, channels: int = 1, rows: int = 10, sets: tuple[str, ...] = ()) -> World:
        stack, frame = pictures(channels, rows)
        np.save(folder / "stack.npy", stack)
        table = SampleTable.of(frame.with_columns(path=pl.lit(str(folder / "stack.npy"))))
        write_table(table, folder / "samples.parquet")
        store = ArrayStore.fill(folder / "samples.store", table, StackReader())
        views = (
            HorizontalFlip(reason="bars have no left and right"),
            Noise(reason="neither does the sensor's noise matter"),
        )
        run = pretrain(
            load_config(sets=[*SETTINGS, f"data.samples='{folder / 'samples.parquet'}'", *sets]),
            Parts(
                table.take(table.rows_of("train")),
                store,
                parse(RULE),
                Composition(),
                ViewRecipe(views, 32),
                Scaling(lo=0, hi=255),
                SimCLR,
            ),
            folder / "bars-0",
        )
        probe_run(run, "kind", group="patient", floors={"position alone": ("place",)}, fractions=(0.3, 1.0))
        return World(table, store, folder / "samples.parquet", run)

    return make


@pytest.fixture(scope="session")
def world(make_world: Callable[..., World], tmp_path_factory: pytest.TempPathFactory) -> World:
    """Not to be changed."""
    return make_world(tmp_path_factory.mktemp("reports"))


@pytest.fixture
def copy_run(world: World, tmp_path: Path) -> Callable[[], Run]:
    """``copy_run()`` is the run in a folder of its own."""

    def copy() -> Run:
        shutil.copytree(world.run.folder, tmp_path / "run")
        return Run.open(tmp_path / "run")

    return copy


@pytest.fixture
def reads_in_the_dark_and_on_paper() -> Callable[[Any], None]:
    """Asserts that a page turns dark, prints light and without its links, and comes out as a PDF."""

    def check(page: Any) -> None:
        def colours() -> list[str]:
            style = "getComputedStyle(document.body)"
            found: list[str] = page.evaluate(f"[{style}.color, {style}.backgroundColor]")
            return found

        light = colours()
        page.emulate_media(color_scheme="dark")
        ink, paper = colours()
        assert (ink, paper) != tuple(light)
        assert sum(map(int, ink[4:-1].split(","))) > sum(map(int, paper[4:-1].split(",")))
        page.emulate_media(media="print", color_scheme="dark")
        assert colours()[0] == light[0]
        assert page.locator("nav").is_hidden()
        assert len(page.pdf()) > 20_000

    return check
