"""`pretrain` from stored pictures to weights, against lightly's documented SimCLR loop and against the bare step."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from lightly.transforms.utils import IMAGENET_NORMALIZE
from numpy.typing import NDArray
from scipy import stats
from torch import Tensor

from benchmarks.pictures import made_up, open_pictures, store_of, table_of
from benchmarks.result import Result, Row, machine
from benchmarks.simclr import TEMPERATURE, Task, bare_step, lightly_loop, ours
from benchmarks.timing import interleave, paired_ratio, spread
from ssl_domains.encoders import Encoder
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Objective, Rows
from ssl_domains.probes import KnnProbe, Labels, read_labels
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Canvas, Preprocess, Scaling

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
        seeds: Paired trainings for the k-NN.
        knn_epochs: Epochs of each.
        knn_pictures: Training pictures at most; None for all.
        threads: Of torch, and workers of lightly's loader.
    """

    small: tuple[int, int, int, int] = (2048, 256, 6, 2)
    large: tuple[int, int, int, int] = (64, 16, 3, 3)
    encoders: tuple[str, str] = ("small_conv", "resnet18")
    sides: tuple[int, int] = (32, 224)
    rounds: tuple[int, int] = (5, 2)
    seeds: int = 5
    knn_epochs: int = 5
    knn_pictures: int | None = None
    threads: int = 2


def run(sizes: Sizes | None = None, pictures: Path | None = None) -> Result:
    """All of it.

    Args:
        sizes: How much.
        pictures: Folder (or zip) of ``train/CLASS/`` and ``test/CLASS/``, 32 × 32; without one the pictures are made
            up, and the k-NN says nothing about real ones.
    """
    sizes = Sizes() if sizes is None else sizes
    started = time.perf_counter()
    before = torch.get_num_threads()
    torch.set_num_threads(sizes.threads)
    try:
        agreed = assert_losses_agree()
        with tempfile.TemporaryDirectory() as scratch:
            here = Path(scratch)
            folder = _small_pictures(sizes, pictures, here)
            small = _task(sizes, 0, folder / "train", here / "small")
            photographs = made_up(here / "photographs", sizes.large[0], 375, 500)
            large = _task(sizes, 1, photographs, here / "large")
            rows = [*_speed(sizes, small, 0), *_speed(sizes, large, 1), *_neighbours(sizes, folder, here / "knn")]
    finally:
        torch.set_num_threads(before)
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
            "k-NN pictures: " + ("made up" if pictures is None else "the given folder") + "; 20 neighbours by cosine.",
        ),
        time.perf_counter() - started,
        machine(sizes.threads, ["lightly", "timm", "torchvision"]),
    )


def assert_losses_agree() -> str:
    """lightly's NT-Xent and ours on the same embeddings.

    Raises:
        AssertionError: When value or gradient differ by more than float32's error.
    """
    from lightly.loss import NTXentLoss

    raw = torch.randn(128, 32, generator=torch.Generator().manual_seed(0))
    found = []
    for ours_ in (True, False):
        leaf = raw.clone().requires_grad_()
        z = F.normalize(leaf, dim=1)
        if ours_:
            bound = Objective().bind({"sample": [str(k) for k in range(64)]})
            loss = contrastive_loss(z, bound.pairs(Rows.of(torch.arange(64), views=2)), TEMPERATURE).loss
        else:
            loss = NTXentLoss(temperature=TEMPERATURE)(z[:64], z[64:])
        (gradient,) = torch.autograd.grad(loss, leaf)
        found.append((loss.detach(), gradient))
    (a, da), (b, db) = found
    assert abs(a - b) < 1e-5, f"{a} and {b}"
    assert (da - db).norm() < 1e-4 * db.norm()
    return "lightly's NT-Xent and ours, value and gradient"


def _small_pictures(sizes: Sizes, pictures: Path | None, scratch: Path) -> Path:
    if pictures is not None:
        return open_pictures(pictures, scratch / "unpacked")
    side = sizes.sides[0]
    made_up(scratch / "made_up" / "train", sizes.small[0], side, side)
    made_up(scratch / "made_up" / "test", sizes.small[0] // 4, side, side)
    return scratch / "made_up"


def _task(sizes: Sizes, which: int, folder: Path, scratch: Path) -> Task:
    """The task over a copy of so many pictures, as lightly's dataset takes all of a folder."""
    count, batch = (sizes.small, sizes.large)[which][:2]
    table = table_of(folder, count)
    part = scratch / "pictures"
    for sample, path in table.frame.select("sample", "path").iter_rows():
        (part / sample).parent.mkdir(parents=True, exist_ok=True)
        (part / sample).symlink_to(path)
    table = table_of(part)
    store = store_of(table, scratch / "store")
    return Task(part, table, store, sizes.encoders[which], sizes.sides[which], batch, sizes.threads)


def _speed(sizes: Sizes, task: Task, which: int) -> list[Row]:
    count, batch, epochs, peer_epochs = (sizes.small, sizes.large)[which]
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


def _neighbours(sizes: Sizes, folder: Path, scratch: Path) -> list[Row]:
    """k-NN on the test pictures after equal epochs, paired by seed."""
    batch = sizes.small[1]
    limited = replace(sizes, small=(sizes.knn_pictures or 10**9, batch, *sizes.small[2:]))
    task = _task(limited, 0, folder / "train", scratch)
    test = table_of(folder / "test")
    known = Pictures.of(task.table, task.store, task.size)
    asked = Pictures.of(test, store_of(test, scratch / "test_store"), task.size)
    found: dict[str, list[float]] = {"ssl-domains": [], "lightly": []}
    for seed in range(sizes.seeds):
        for name, arm in (("ssl-domains", ours), ("lightly", lightly_loop)):
            encoder = arm(task, sizes.knn_epochs, seed)[1]
            found[name].append(_accuracy(encoder, known, asked, imagenet=name == "lightly"))
    difference = np.subtract(found["ssl-domains"], found["lightly"])
    low, high = _t_interval(difference)
    what = f"k-NN after {sizes.knn_epochs} epochs of {len(task.table)} pictures"
    rows = [Row.of(f"{name}: {what}", spread(values), "%") for name, values in found.items()]
    gap = Row(
        f"ssl-domains − lightly: {what}, {sizes.seeds} paired seeds, mean",
        float(difference.mean()), "points", low, high, "lower end of 90 % ≥ −1", bool(low >= -1),
    )  # fmt: skip
    return [*rows, gap]


@dataclass(frozen=True)
class Pictures:
    """Pictures as an encoder sees them, with their class."""

    images: Tensor
    labels: Labels

    @classmethod
    def of(cls, table: SampleTable, store: ArrayStore, size: int) -> Pictures:
        """float32 in [0, 1]."""
        preprocess = Preprocess(Scaling().fit(table, store), Canvas(size), 3)
        images = torch.stack([preprocess(store[int(position)]) for position in store.positions(table)])
        return cls(images, read_labels(table.column("class")))


def _accuracy(encoder: Encoder, known: Pictures, asked: Pictures, *, imagenet: bool) -> float:
    """Percent; ``imagenet``: scaled as lightly's transform does."""
    mean, std = (torch.tensor(x)[:, None, None] for x in (IMAGENET_NORMALIZE["mean"], IMAGENET_NORMALIZE["std"]))
    features = []
    with torch.no_grad():
        encoder.eval()
        for part in (known.images, asked.images):
            scaled = (part - mean) / std if imagenet else part
            features.append(torch.cat([encoder(some).pooled for some in torch.split(scaled, 512)]).numpy())
    (votes,) = KnnProbe().answers(features[0], known.labels, features[1], [{"k": 20.0}])
    return float(100 * (votes.values.argmax(1) == asked.labels.y).mean())


def _t_interval(values: NDArray[np.float64], level: float = 0.9) -> tuple[float, float]:
    if len(values) < 2:
        return float("-inf"), float("inf")
    half = stats.t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - half), float(values.mean() + half)
