"""A run small enough for a test, from real parts; and processes of it that a test can kill.

As a program it imports once, then forks a process for each request: a line of JSON on standard input, keywords of
`child`. It answers with the process's id, and with its exit status (as `subprocess` gives it) when that has ended.
"""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import polars as pl
import torch
from torch import nn

from ssl_domains.encoders import Encoder, projection_head
from ssl_domains.engine import Parts, Run, RunConfig, load_config, pretrain, rehearse
from ssl_domains.engine.record import checkpoint as checkpoint_module
from ssl_domains.engine.record.events import Event, Stepped
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, parse
from ssl_domains.samples import SampleTable
from ssl_domains.samples.writing import whole as whole_module
from ssl_domains.stores import ArrayStore
from ssl_domains.views import HorizontalFlip, Intensity, Noise, RandomCrop, RandomResizedCrop, Scaling, ViewRecipe

SIZE, PATIENTS, EACH = 16, 10, 4
SETTINGS = (
    "encoder.name=small_conv",
    "head.hidden=16",
    "head.out=8",
    f"views.size={SIZE}",
    "train.epochs=4",  # of 5 steps
    "train.batch_size=8",
    "train.device=cpu",
    "train.checkpoint_every_steps=3",
    "health.every_steps=4",
    "health.label=site",
)
TOTAL_STEPS = 20


class NpyReader:
    """Reads ``.npy`` files."""

    version = "1"

    def load(self, row: Mapping[str, Any]) -> np.ndarray:
        return np.load(row["path"])

    def scan(self, source: Path, **options: Any) -> Any:
        raise AssertionError("the table is made by hand")


def make_table(folder: Path) -> SampleTable:
    """Forty pictures of ten patients at two sites."""
    folder.mkdir(parents=True, exist_ok=True)
    draws = np.random.default_rng(0)
    rows = []
    for patient in range(PATIENTS):
        anatomy = draws.integers(0, 200, (SIZE, SIZE, 1))
        for visit in range(EACH):
            path = folder / f"{patient}-{visit}.npy"
            if not path.exists():
                np.save(path, (anatomy + draws.integers(0, 50, anatomy.shape)).astype(np.uint8))
            rows.append((f"p{patient}v{visit}", str(path), f"p{patient}", f"s{patient % 2}", 20.0 + patient, "train"))
    schema = ["sample", "path", "patient", "site", "age", "split"]
    return SampleTable(pl.DataFrame(rows, schema=schema, orient="row"))


class DropoutSimCLR(SimCLR):
    """SimCLR with dropout in its head, so that the generators' states matter."""

    @classmethod
    def build(cls, encoder: Encoder, options: Mapping[str, Any]) -> Self:
        head = projection_head(encoder.num_features, options["hidden"], options["out"], options["layers"])
        return cls(encoder, nn.Sequential(nn.Dropout(0.2), head), options["temperature"], True)


def make_recipe(crop: Sequence[int] = ()) -> ViewRecipe:
    """The views of the small run; ``crop`` are the sides of the crops that they show, empty for whole pictures."""
    steps = (
        RandomResizedCrop(reason="position does not matter"),
        HorizontalFlip(reason="sides do not matter"),
        Intensity(reason="gain does not matter"),
        Noise(reason="neither does noise"),
    )
    return ViewRecipe(steps, SIZE, crop=RandomCrop(crop, emitted=("y", "x")) if crop else None)


def run(
    data: Path,
    out: Path,
    sets: Sequence[str] = (),
    *,
    rule: str = "same('patient')",
    composition: Composition | None = None,
    table: SampleTable | None = None,
    dry_run: bool = False,
    **options: Any,
) -> Any:
    """`pretrain` on the small data, or `rehearse`; ``options`` go to it."""
    config: RunConfig = load_config(sets=[*SETTINGS, *sets])
    if table is None:
        table = make_table(data)
    store = ArrayStore.fill(data / "store", table, NpyReader())
    method, recipe = options.pop("method", DropoutSimCLR), options.pop("recipe", None) or make_recipe()
    parts = Parts(table, store, parse(rule), composition or Composition(), recipe, Scaling(), method)
    return rehearse(config, parts) if dry_run else pretrain(config, parts, out, **options)


def weights(run: Run) -> dict[str, torch.Tensor]:
    """Everything trained, and the optimiser's state, of the newest checkpoint."""
    state = run.checkpoints.load()
    found = {f"method.{name}": value for name, value in state["method"].items()}
    for index, values in state["optimiser"]["state"].items():
        found |= {f"optimiser.{index}.{name}": torch.as_tensor(value) for name, value in values.items()}
    return {"step": torch.tensor(state["step"]), **found}


def child(
    data: str,
    out: str,
    sets: Sequence[str] = (),
    die: str = "",
    wait_at: int = -1,
    gates: Sequence[str] = (),
    crop: Sequence[int] = (),
) -> int:
    """Run in this process, and meet an end.

    Args:
        data: Folder of the data.
        out: Run folder.
        sets: Configuration.
        die: ``step:7`` (after step 7), ``write:9`` (half-way through writing the checkpoint of step 9) or ``rename:9``
            (written, not renamed).
        wait_at: After this step, write to the first of two named pipes, then read from the second.
        gates: The pipes.
        crop: See `make_recipe`.

    Returns:
        Exit status.
    """
    kind, _, number = die.partition(":")
    step = int(number or -1)

    def listen(event: Event) -> None:
        if isinstance(event, Stepped) and kind == "step" and event.step == step:
            _die()
        if isinstance(event, Stepped) and event.step == wait_at:
            Path(gates[0]).write_text("waiting")
            Path(gates[1]).read_text()

    save, replace = torch.save, os.replace

    def half_a_save(state: dict[str, Any], file: Any) -> None:
        if state["step"] != step:
            return save(state, file)
        whole = io.BytesIO()
        save(state, whole)
        file.write(whole.getvalue()[: len(whole.getvalue()) // 2])
        file.flush()
        return _die()

    def no_rename(source: Any, target: Any) -> None:
        if Path(target).name == f"step-{step:08d}.pt":
            _die()
        replace(source, target)

    if kind == "write":
        checkpoint_module.torch.save = half_a_save  # type: ignore[assignment]
    if kind == "rename":
        whole_module.os.replace = no_rename  # type: ignore[assignment]
    try:
        run(Path(data), Path(out), sets, on_event=listen, recipe=make_recipe(crop))
    except KeyboardInterrupt:
        return 130
    return 0


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def serve() -> None:
    """Fork a process for each request. Nothing is computed here, so no thread is lost in a fork."""
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                os.setsid()
                status = child(**json.loads(line))
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(status)
        print(pid, flush=True)
        _, ended = os.waitpid(pid, 0)
        print(os.waitstatus_to_exitcode(ended), flush=True)


if __name__ == "__main__":
    serve()
