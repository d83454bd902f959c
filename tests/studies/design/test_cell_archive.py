"""The file of cells: what is written comes back, a damaged file is a data error."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssl_domains.errors import DataError
from ssl_domains.studies.design.cell_archive import CellArchive, read_cell_archive, write_cell_archive
from ssl_domains.studies.design.cells import TUNING, CellResult, CellScore, StoredCell
from ssl_domains.studies.design.measures import dice_sums


def a_score(rng: np.random.Generator, probe: str, groups: int = 5) -> CellScore:
    counts = rng.poisson(0.6, size=(groups, 9)).astype(float).tolist()
    return CellScore(
        probe, 0.1, 30, list(range(3, 3 + groups)), {"balanced accuracy": counts, "macro-F1": counts},
        {"AUROC": None, "accuracy, x 0 to 1": 0.5}, "a note",
    )  # fmt: skip


def a_cell(number: int, fold: int = 0) -> StoredCell:
    rng = np.random.default_rng(number)
    dice = dice_sums(rng.uniform(size=(5, 2)))
    dense = CellScore("dense", 1.0, 100, [3, 4, 5, 6, 7], {"mean Dice": dice.tolist()}, {"mean IoU": 0.25})
    result = CellResult(f"hash {number}", [a_score(rng, "linear"), dense], {"site": ["R²", 0.5, ""]}, (1.5, 2.25))
    return StoredCell(f"cells/near/fold{fold}-seed{number}", "near", fold, number, result)


def test_equal_rows_of_sums_are_one_list() -> None:
    one_hot = np.eye(4).tolist()
    counts = [list(one_hot[number % 4]) for number in range(3000)]
    score = CellScore("linear", 1.0, 9, list(range(3000)), {"accuracy": counts, "macro-F1": [list(x) for x in counts]})
    assert len({id(row) for rows in score.sums.values() for row in rows}) == 4
    assert score.sums["accuracy"] == counts
    kept = CellScore("linear", 1.0, 9, [0, 1], {"R²": [[0.0], [-0.0]]}).sums["R²"]
    assert [str(row[0]) for row in kept] == ["0.0", "-0.0"]


def test_cells_come_back_as_they_were(tmp_path: Path) -> None:
    empty = StoredCell("cells/none/tuning", "none", TUNING, 10_000, CellResult("hash", [], {}, (0.0, 0.1)))
    cells = (*(a_cell(number) for number in range(4)), empty)
    path = write_cell_archive(tmp_path / "page" / "x.cells.parquet", CellArchive(cells, {"result": {"a": [1, None]}}))
    found = read_cell_archive(path)
    assert found.cells == cells
    assert found.study == {"result": {"a": [1, None]}}
    assert [one.name for one in path.parent.iterdir()] == ["x.cells.parquet"]


def test_a_score_of_two_kinds_of_sums_comes_back(tmp_path: Path) -> None:
    cell = a_cell(1)
    both = replace(cell.result.scores[0], sums={"accuracy": [[1.0, 0.0, 2.0, 0.0]] * 5, "mean Dice": [[0.5, 1.0]] * 5})
    cell = replace(cell, result=replace(cell.result, scores=[both, cell.result.scores[1]]))
    path = write_cell_archive(tmp_path / "x.parquet", CellArchive((cell,)))
    assert read_cell_archive(path).cells == (cell,)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.lists(
            st.one_of(st.just(0.0), st.integers(0, 10**9).map(float), st.floats(-1e12, 1e12)), min_size=3, max_size=3
        ),
        min_size=1,
        max_size=6,
    )
)
def test_any_sums_come_back_to_the_last_bit(tmp_path_factory: pytest.TempPathFactory, sums: list[list[float]]) -> None:
    score = CellScore("linear", 1.0, 3, list(range(len(sums))), {"R²": sums}, {}, "")
    cell = StoredCell("cells/a/b", "a", 0, 0, CellResult("hash", [score]))
    path = write_cell_archive(tmp_path_factory.mktemp("sums") / "x.parquet", CellArchive((cell,)))
    (found,) = read_cell_archive(path).cells
    assert np.array_equal(np.array(found.result.scores[0].sums["R²"]), np.array(sums))


def test_a_study_of_many_groups_stays_below_a_megabyte(tmp_path: Path) -> None:
    """221 volumes, 8 arms, 5 seeds, 4 fractions: dense and linear probe."""
    rng = np.random.default_rng(0)
    cells = []
    for arm in range(8):
        for seed in range(5):
            for fold, groups in enumerate(np.array_split(np.arange(221), 5)):
                scores = []
                for fraction in (0.01, 0.05, 0.15, 1.0):
                    dice = dice_sums(rng.uniform(0.3, 0.9, size=(len(groups), 2))).tolist()
                    scores.append(CellScore("dense", fraction, 9, groups.tolist(), {"mean Dice": dice}))
                    counts = rng.poisson(4, size=(len(groups), 4)).astype(float).tolist()
                    scores.append(CellScore("linear", fraction, 9, groups.tolist(), {"accuracy": counts}))
                result = CellResult(rng.bytes(32).hex(), scores)
                cells.append(StoredCell(f"cells/{arm}/{fold}-{seed}", f"arm {arm}", fold, seed, result))
    path = write_cell_archive(tmp_path / "x.parquet", CellArchive(tuple(cells)))
    assert path.stat().st_size < 1_000_000
    assert read_cell_archive(path).cells == tuple(cells)


@pytest.mark.parametrize("keep", [0, 3, 100, -9, -2000])
def test_a_damaged_file_is_a_data_error_with_a_hint(keep: int, tmp_path: Path) -> None:
    path = write_cell_archive(tmp_path / "x y.parquet", CellArchive(tuple(a_cell(number) for number in range(4))))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(DataError, match=r"the cells .*x y\.parquet' can't be read: ") as caught:
        read_cell_archive(path)
    assert caught.value.hint.endswith(f"rm '{path}'")
    assert "\n" not in caught.value.message


def test_another_parquet_file_is_a_data_error(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pl.DataFrame({"sample": ["a"]}).write_parquet(path)
    with pytest.raises(DataError, match="can't be read"):
        read_cell_archive(path)
    pl.DataFrame({"cell": ["a"]}).write_parquet(path, metadata={"ssl_domains.study": "{}"})
    with pytest.raises(DataError, match="can't be read"):
        read_cell_archive(path)
    pl.DataFrame({"cell": ["a"]}).write_parquet(path, metadata={"ssl_domains.study": "[1]"})
    with pytest.raises(DataError, match="no JSON object"):
        read_cell_archive(path)
