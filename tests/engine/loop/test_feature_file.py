"""The file of a refresh: what is computed from, which rows, and that no process holds all features in its memory."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import Dataset

from ssl_domains.encoders import Features
from ssl_domains.engine.loop import feature_file
from ssl_domains.engine.loop.refreshing import Refresher
from ssl_domains.engine.processes.distributed import World, processes
from ssl_domains.errors import DataError, ResourceError, SslDomainsError, UsageError
from ssl_domains.inputs import Input
from ssl_domains.methods import Refresh, Refreshed, SimCLR
from ssl_domains.pairs import edges_between
from ssl_domains.samples import SampleTable

ROWS = 11


class Rows(Dataset[Any]):
    """Row ``i`` is the picture of one pixel ``i / 256``."""

    def __init__(self, rows: int = ROWS) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return self.rows

    def __getitems__(self, indices: list[int]) -> dict[str, Any]:
        index = torch.tensor(indices)
        return {"input": Input((index / 256).float().view(-1, 1, 1, 1)), "index": index}


class Spreading(nn.Module):
    """Features of any width: the pixel plus the number of the feature."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.num_features = width
        self.register_buffer("steps", torch.arange(float(width)))

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Any:
        features = 256 * values.flatten(1).mean(1, keepdim=True) + self.steps
        return Features(features, features[:, :, None, None])


def refresher(
    refresh: Refresh, folder: Path | None, world: World | None = None, rows: int = ROWS, width: int = 3
) -> Any:
    method = SimCLR(Spreading(width), nn.Linear(width, 2), 0.2)  # type: ignore[arg-type]
    method.refresh = refresh
    table = SampleTable.of({"sample": [f"s{i}" for i in range(rows)], "g": [i % 3 for i in range(rows)]})
    return Refresher(method, Rows(rows), table, torch.device("cpu"), "float32", world or World(), folder)


def expected(rows: Any, width: int = 3) -> Tensor:
    return torch.as_tensor(rows).float()[:, None] + torch.arange(float(width))


def test_it_is_computed_from_a_file_in_the_run_folder_that_is_removed(tmp_path: Path) -> None:
    met: list[Any] = []

    def compute(features: Tensor, table: SampleTable) -> Refreshed:
        met.append((features.clone(), [path.name[:8] for path in (tmp_path / "run").rglob("*.f32")]))
        features[:] = 0  # a private copy: the file doesn't change, and nothing fails
        return Refreshed({"c": features[:, 0].long()})

    (tmp_path / "run").mkdir()
    computed = refresher(Refresh(compute, ("c",)), tmp_path / "run")(None)
    assert torch.equal(met[0][0], expected(range(ROWS)))
    assert met[0][1] == ["refresh-"]
    assert list((tmp_path / "run").iterdir()) == []
    assert computed.columns["c"].tolist() == [0] * ROWS


@pytest.mark.parametrize("mask", [False, True])
def test_some_rows_are_embedded_and_the_others_are_missing(mask: bool, tmp_path: Path) -> None:
    chosen = np.array([1, 4, 7, 10]) if mask else np.array([7, 2, 9])

    def rows(table: SampleTable) -> Any:
        return np.isin(np.arange(len(table)), chosen) if mask else torch.from_numpy(chosen)

    def compute(features: Tensor, table: SampleTable) -> Refreshed:
        assert torch.equal(features, expected(chosen))
        assert table.frame["sample"].to_list() == [f"s{i}" for i in chosen]
        numbers = {"code": torch.arange(len(chosen)), "number": features[:, 1]}
        return Refreshed(numbers, {"mined": edges_between(table, [0], [2])})

    computed = refresher(Refresh(compute, ("code", "number"), ("mined",), rows=rows), tmp_path)(None)
    code, number = computed.columns["code"], computed.columns["number"]
    assert code[chosen].tolist() == list(range(len(chosen)))
    assert (np.delete(code, chosen) == -1).all()
    assert number[chosen].tolist() == (chosen + 1.0).tolist()
    assert np.isnan(np.delete(number, chosen)).all()
    assert computed.edges["mined"].rows() == [(f"s{chosen[0]}", f"s{chosen[2]}", 1.0)]


def test_z_of_the_plain_sample_is_read_in_evaluation_mode(tmp_path: Path) -> None:
    met: list[Tensor] = []

    def compute(features: Tensor, table: SampleTable) -> Refreshed:
        met.append(features.clone())
        return Refreshed({"c": torch.zeros(ROWS)})

    made = refresher(Refresh(compute, ("c",), reads="z"), tmp_path)
    made.method.head = nn.Sequential(nn.Dropout(0.9), made.method.head).train()
    made.method.head[1].eval()
    made(None)
    with torch.no_grad():
        z = nn.functional.normalize(made.method.head[1](expected(range(ROWS))), dim=1)
    torch.testing.assert_close(met[0], z)
    assert (made.method.head[0].training, made.method.head[1].training) == (True, False)  # as they were


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rows": lambda table: [0, 0]}, UsageError, "a row twice"),
        ({"rows": lambda table: [ROWS]}, UsageError, "not in the table"),
        ({"rows": lambda table: []}, UsageError, "no rows"),
        ({"rows": lambda table: [1, 2]}, DataError, f"'c' has {ROWS} values for 2 chosen rows"),
    ],
)
def test_an_impossible_choice_of_rows_is_refused(
    options: Any, error: type[SslDomainsError], message: str, tmp_path: Path
) -> None:
    refresh = Refresh(lambda features, table: Refreshed({"c": torch.zeros(ROWS)}), ("c",), **options)
    with pytest.raises(error, match=message) as caught:
        refresher(refresh, tmp_path / "run")(None)
    assert caught.value.hint
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("bad", "message"), [({"start": -1}, "epoch -1"), ({"reads": "h"}, "reads 'h'")])
def test_a_refresh_that_makes_no_sense_is_refused(bad: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Refresh(lambda features, table: Refreshed(), ("c",), **bad)


def test_epochs_of_a_refresh_count_from_its_start() -> None:
    refresh = Refresh(lambda features, table: Refreshed(), ("c",), every=3, start=2)
    assert [epoch for epoch in range(12) if refresh.due(epoch)] == [2, 5, 8, 11]


def test_a_full_disk_is_a_resource_error_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = open

    class Full:
        def __init__(self, *words: Any) -> None:
            self.file = opened(*words)

        def __enter__(self) -> Any:
            return self

        def __exit__(self, *error: Any) -> None:
            self.file.close()

        def seek(self, place: int) -> None:
            pass

        def write(self, part: Any) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(feature_file, "open", Full, raising=False)
    refresh = Refresh(lambda features, table: Refreshed({"c": torch.zeros(ROWS)}), ("c",))
    with pytest.raises(ResourceError, match=r"the disk is full at .*\.f32") as caught:
        refresher(refresh, tmp_path / "run")(None)
    assert caught.value.exit_code == 5
    assert not (tmp_path / "run").exists()


def test_features_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    made = refresher(Refresh(lambda features, table: Refreshed({"c": torch.zeros(ROWS)}), ("c",)), tmp_path)
    made.method.encoder.steps[1] = torch.nan
    with pytest.raises(DataError, match="not finite"):
        made(None)


def computed_here(folder: str, rows: int) -> list[Any]:
    """The sum of all features as the first process maps them, in each of two processes."""
    with processes() as world:

        def compute(features: Tensor, table: SampleTable) -> Refreshed:
            assert torch.equal(features, expected(range(rows)))
            return Refreshed({"c": features.sum(1)})

        return refresher(Refresh(compute, ("c",)), Path(folder), world, rows)(None).columns["c"].tolist()


@pytest.mark.parametrize("rows", [1, 2, 11, 700])
def test_processes_write_their_rows_into_one_file(rows: int, tmp_path: Path, two_processes: Callable[..., Any]) -> None:
    found = two_processes(computed_here, folder=str(tmp_path), rows=rows)
    assert found == [[3.0 * i + 3 for i in range(rows)]] * 2


def anonymous(pid: int) -> int:
    """Anonymous resident memory of a process, in bytes."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("RssAnon"))


def memory_during_compute(folder: str) -> list[int]:
    """How much the anonymous memory of each of two processes has grown when all features are there."""
    rows, width = 4096, 8192  # 128 MiB
    grown: list[int] = []
    with processes() as world:

        def compute(features: Tensor, table: SampleTable) -> Refreshed:
            sums = torch.cat([part.sum(1) for part in features.split(256)])
            grown.extend(anonymous(pid) - before for pid, before in pids)
            return Refreshed({"c": sums})

        made = refresher(Refresh(compute, ("c",)), Path(folder), world, rows, width)
        pids = world.collect((os.getpid(), anonymous(os.getpid())))
        made(None)
    return grown


def test_no_process_holds_all_features(tmp_path: Path, two_processes: Callable[..., Any]) -> None:
    first, second = two_processes(memory_during_compute, folder=str(tmp_path))
    assert second == []  # one computes
    assert len(first) == 2
    assert max(first) < 64 * 2**20  # the batch in the encoder, of 8 MiB, and what it takes


def unseen(folder: str) -> str:
    """The second process loses sight of the folder, as on another machine."""
    with processes() as world:
        if not world.first:
            folder = str(Path(folder) / "elsewhere")
        found = feature_file.Path

        class Elsewhere(type(Path())):  # type: ignore[misc]
            def is_file(self) -> bool:
                return world.first and super().is_file()

        feature_file.Path = Elsewhere  # type: ignore[misc]
        try:
            refresh = Refresh(lambda features, table: Refreshed({"c": torch.zeros(ROWS)}), ("c",))
            refresher(refresh, Path(folder), world)(None)
        except UsageError as error:
            return error.message
        finally:
            feature_file.Path = found  # type: ignore[misc]
    return "no error"


def test_a_process_that_does_not_see_the_folder_ends_all_with_one_sentence(
    tmp_path: Path, two_processes: Callable[..., Any]
) -> None:
    first, second = two_processes(unseen, folder=str(tmp_path))
    assert "does not see" in first
    assert "does not see" in second
    assert list(tmp_path.rglob("*.f32")) == []


def test_what_a_killed_run_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "refresh-old.f32"
    left.write_bytes(b"half")
    kept = tmp_path / "checkpoints"
    kept.mkdir()
    with feature_file.shared_file(tmp_path, World()) as path:
        assert not left.exists()
        assert path.parent == tmp_path
    assert list(tmp_path.iterdir()) == [kept]
