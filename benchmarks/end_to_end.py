"""`pretrain` from stored pictures to weights, against lightly's documented SimCLR loop and against the bare step."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.pictures import given_or_made_up, made_up
from benchmarks.result import Result, Row, machine
from benchmarks.simclr import Task, assert_losses_agree, bare_step, lightly_loop, ours, task_of
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.studies.design.threads import torch_threads

__all__ = ["Sizes", "run"]


@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        small: Pictures, batch, epochs of ours and of the bare step, epochs of lightly, at 32 pixels.
        large: The same at 224 pixels.
        encoders: timm names for both.
        sides: Sides of the views for both.
        rounds: Rounds for both, arms taking turns.
        threads: Of torch, and workers of lightly's loader.
    """

    small: tuple[int, int, int, int] = (2048, 256, 6, 2)
    large: tuple[int, int, int, int] = (64, 16, 2, 2)
    encoders: tuple[str, str] = ("small_conv", "resnet18")
    sides: tuple[int, int] = (32, 224)
    rounds: tuple[int, int] = (9, 9)
    threads: int = 2


def run(sizes: Sizes | None = None, pictures: Path | None = None) -> Result:
    """At both sizes.

    Args:
        sizes: How much.
        pictures: Folder (or zip) of ``train/CLASS/``, 32 × 32; without one the pictures are made up.
    """
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    with torch_threads(sizes.threads):
        agreed = assert_losses_agree()
        with tempfile.TemporaryDirectory() as scratch:
            here = Path(scratch)
            folder = given_or_made_up(pictures, here, sizes.small[0], sizes.sides[0])
            photographs = made_up(here / "photographs", sizes.large[0], 375, 500)
            rows = [
                *_speed(sizes, 0, folder / "train", here / "small"),
                *_speed(sizes, 1, photographs, here / "large"),
            ]
    return Result(
        "end_to_end",
        "Pre-training end to end, SimCLR",
        (agreed,),
        tuple(rows),
        (
            "A sample is a picture: two views of it are made, embedded and compared.",
            "lightly: its LightlyDataset, SimCLRTransform, DataLoader and NTXentLoss as its example has them, with as "
            "many workers as threads; decoding is part of its loop, as it keeps nothing.",
            "Ours: `pretrain` from the store, checkpoints and measurements included; decoding once is not.",
            "The bare step: the same model, loss and optimiser over two views made beforehand. Memory is kept between "
            "its steps as in `pretrain`; lightly's loop has the allocator as it is.",
            "Encoder, first weights, head widths, temperature, AdamW and its schedule are the same in all arms.",
            "At 224 pixels the pictures are made-up JPEG files of 500 × 375; ours crops from canvases of 224.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ["lightly", "timm", "torchvision"]),
    )


def _speed(sizes: Sizes, which: int, folder: Path, scratch: Path) -> list[Row]:
    count, batch, epochs, peer_epochs = (sizes.small, sizes.large)[which]
    task: Task = task_of(folder, scratch, sizes.encoders[which], sizes.sides[which], batch, sizes.threads, count)
    steps = count // batch * epochs
    bare = bare_step(task)
    bare(1)
    seconds: dict[str, list[float]] = {"ours": [], "bare": [], "lightly": []}
    arms = {
        "ours": lambda: seconds["ours"].append(ours(task, epochs)[0] / (count * epochs)),
        "bare": lambda: seconds["bare"].append(bare(steps) / (batch * steps)),
        "lightly": lambda: seconds["lightly"].append(
            lightly_loop(task, peer_epochs)[0] / (count // batch * batch * peer_epochs)
        ),
    }
    interleave(arms, sizes.rounds[which], warm_up=0)
    where = f"{task.size} px, {task.encoder}, {batch} pictures a batch"
    names = {"ours": "ssl-domains", "bare": "bare step", "lightly": "lightly"}
    rates = {name: [1 / each for each in times] for name, times in seconds.items()}
    rows = [Row.of(f"{names[name]}, {where}", spread(rate), "images/s") for name, rate in rates.items()]
    of_bare = paired_ratio(seconds["bare"], seconds["ours"])
    faster = paired_ratio(seconds["lightly"], seconds["ours"])
    bare_row = Row.at_least(f"ssl-domains / bare step, {where}", of_bare, "×", 0.85)
    rows.append(replace(bare_row, target="", met=None) if which else bare_row)
    rows.append(Row.at_least(f"ssl-domains / lightly, {where}", faster, "×", 1.5 if which else 3))
    return rows
