"""The conformance kit that any plugin's author can run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.testing import check_domain, check_pair_sampler, check_reader
from ssl_domains.views import InputDataset
from ssl_domains_seismic.domain import SEISMIC
from ssl_domains_seismic.pairs import SAMPLERS, neighbours, same_depth
from ssl_domains_seismic.preprocess import sections_for
from ssl_domains_seismic.reader import SeismicReader

from .conftest import grid_words, smooth, write

PARAMETERS: dict[str, list[dict[str, Any]]] = {
    "neighbours": [{}, {"m": 60, "ms": 16}, {"bins": 1, "samples": 4}],
    "relative_to_horizon": [{}, {"ms": 6}],
    "same_depth": [{}, {"ms": 40}],
    "volume_bins": [{}, {"n": 3}],
}
CASES = [(s.name, given) for s in SAMPLERS for given in PARAMETERS.get(s.name, [{}])]


class BatchedInputs(Dataset[tuple[Tensor, Tensor]]):
    """Batches of 16 rows, values and validity, as a dataset that can be sent to a worker process."""

    def __init__(self, inputs: InputDataset) -> None:
        self.inputs = inputs

    def __len__(self) -> int:
        return -(-len(self.inputs) // 16)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        if number >= len(self):
            raise IndexError(number)
        rows = range(16 * number, min(16 * number + 16, len(self.inputs)))
        made = self.inputs.__getitems__(rows)["input"]
        return made.values, made.with_valid()


def two_surveys(out: Path, seed: int) -> str:
    """Two surveys on the map, one with holes, and a truncated file."""
    for number in range(2):
        words = [
            {**w, 181: 50 * (k // 8), 185: 25 * (k % 8)} for k, w in enumerate(grid_words(range(10, 22, 2), range(8)))
        ]
        kept = range(48 - 5 * number)
        traces = smooth(6, 8, 40, seed + number).reshape(48, 40)
        write(out / f"{number}.sgy", traces[kept], [words[k] for k in kept], code=(5, 3)[number])
    (out / "cut.sgy").write_bytes((out / "0.sgy").read_bytes()[:3700])
    return f"next: ssl-domains seismic scan {out} -o samples.parquet"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> SampleTable:
    folder, horizon = tmp_path_factory.mktemp("surveys"), tmp_path_factory.mktemp("picks") / "top.txt"
    two_surveys(folder, 0)
    horizon.write_text("\n".join(f"{i} {x} {40 + i + x / 2}" for i in range(10, 22, 2) for x in range(8)))
    return SeismicReader().scan(folder, along="inline,depth", patch="4", stride="2", horizon=horizon).samples


def test_the_domain(tmp_path: Path) -> None:
    table = check_domain(replace(SEISMIC, demo_data=two_surveys), tmp_path)
    assert set(table.frame["survey"]) == {"0.sgy", "1.sgy"}


def test_the_domain_on_its_own_demo_data(tmp_path: Path) -> None:
    """The two stacks and the twins of `ssl-domains seismic demo-data`, whose samples are regions of surveys."""
    table = check_domain(SEISMIC, tmp_path)
    assert table.frame["region"].null_count() == 0


@pytest.mark.parametrize("context", ["fork", "spawn"])
def test_two_workers_read_what_one_process_reads(tmp_path: Path, context: str) -> None:
    """Patches of two stacks of one survey: a worker gets paths, and opens the files itself."""
    two_surveys(tmp_path, 0)
    (tmp_path / "far.sgy").write_bytes((tmp_path / "0.sgy").read_bytes())
    reader = SeismicReader()
    table = reader.scan(tmp_path, along="inline,depth", patch="4", stacks="near=0.sgy,far=far.sgy").samples
    store = ArrayStore.fill(tmp_path / "store", table, reader)
    batches = BatchedInputs(InputDataset(table, store, sections_for(table).fit(table, store), cache_gb=0))
    loader = DataLoader(batches, batch_size=None, num_workers=2, multiprocessing_context=context)
    found = list(loader)
    assert len(found) == len(batches) > 2
    for number, (values, valid) in enumerate(found):
        own, own_valid = batches[number]
        assert values.shape[1:] == (2, 4, 4)
        assert torch.equal(values, own)
        assert torch.equal(valid, own_valid)
        assert torch.equal(values[:, 0], values[:, 1])


@pytest.mark.parametrize(("name", "given"), CASES, ids=[f"{name} {given}" for name, given in CASES])
def test_pair_samplers(samples: SampleTable, name: str, given: dict[str, Any]) -> None:
    (sampler,) = [sampler for sampler in SAMPLERS if sampler.name == name]
    check_pair_sampler(sampler, samples, **given)


@pytest.mark.parametrize(
    "options",
    [
        {"along": "depth", "patch": "4"},
        {"along": "crossline,inline", "patch": "16x4", "stride": "8x2"},
        {"channels": 3},
        {"il": "12:18", "ms": "20:"},
    ],
)
def test_the_reader(tmp_path: Path, options: dict[str, Any]) -> None:
    two_surveys(tmp_path, 0)
    check_reader(SeismicReader(), tmp_path, **options)


def test_the_reader_on_npy_volumes(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", smooth(4, 5, 30))
    np.save(tmp_path / "b.npy", np.rint(smooth(3, 5, 30)).astype(np.int16))
    check_reader(SeismicReader(), tmp_path, patch="5")


def test_rules_of_the_samplers() -> None:
    same = "same('survey', 'along')"
    assert neighbours() == f"{same} & within('inline_bin', 0) & within('crossline_bin', 0) & within('sample_bin', 8)"
    assert neighbours(m=100, ms=32) == f"{same} & within('x_m', 100) & within('y_m', 100) & within('ms', 32)"
    assert same_depth(12.5) == "same('along') & within('ms', 12.5)"
    refused: tuple[Callable[[], str], ...] = (
        lambda: neighbours(m=1, bins=1),
        lambda: neighbours(ms=1, samples=1),
        lambda: neighbours(m="far"),  # type: ignore[arg-type]
    )
    for call in refused:
        with pytest.raises(UsageError):
            call()
