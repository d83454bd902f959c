"""Training on pictures gives the weights that it gave when they were recorded, bit for bit.

Bits depend on the processor and on torch, so the record holds for one of each and is skipped elsewhere. To record anew,
after a change that is meant to move bits: ``python tests/engine/test_recorded_weights.py``.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
import torch

import small_run
from ssl_domains.pairs import Composition

RECORD = Path(__file__).with_name("recorded_weights.json")
STEPS = ("train.max_steps=6",)
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "cached": {"sets": ("train.micro_batch_size=3", "train.micro_batch_norm=true")},
    "no rule": {"rule": "none"},
    "workers": {"sets": ("data.workers=2",)},
    "partners": {"composition": Composition("partner")},
}


def machine() -> str:
    """A short hash of what decides the last bit of a float: processor, its instructions, torch."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    processor = sorted({line for line in lines if line.startswith(("model name", "flags"))})
    return hashlib.sha256("\n".join([torch.__version__, *processor]).encode()).hexdigest()[:16]


def weights_hash(folder: Path, case: str) -> str:
    """SHA-256 of weights and optimiser state after six steps on a canvas that stretches."""
    options = dict(CASES[case])
    sets = (*STEPS, *options.pop("sets", ()))
    run = small_run.run(folder / "data", folder / case.replace(" ", "-"), sets, **options)
    digest = hashlib.sha256()
    for name, value in sorted(small_run.weights(run).items()):
        digest.update(name.encode())
        digest.update(value.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("case", CASES)
def test_weights_are_those_recorded(case: str, tmp_path: Path) -> None:
    record = json.loads(RECORD.read_text(encoding="utf-8"))
    if record["machine"] != machine():
        pytest.skip("recorded on another processor or with another torch")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert weights_hash(tmp_path, case) == record["hashes"][case]
    finally:
        torch.set_num_threads(threads)


def record() -> None:
    """Write the record of this machine."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        hashes = {case: weights_hash(Path(folder), case) for case in CASES}
    RECORD.write_text(json.dumps({"machine": machine(), "hashes": hashes}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    record()
