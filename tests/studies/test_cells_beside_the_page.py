"""A study resumes from a file of cells, and its pages are made anew from it without data or training."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

import small_study
from result_pages import unlike
from ssl_domains.errors import DataError, UsageError
from ssl_domains.studies import Arm, Material, StudyFile, all_arms, conduct, pages_again
from ssl_domains.studies.design.cell_archive import CellArchive, read_cell_archive, write_cell_archive

NEAR = Arm("near", "same place", "rule", "same('place')", reads=frozenset({"place"}))
PAGES = ("bars.md", "bars-differences.svg", "bars-curves.svg", "bars.cells.parquet")


def study_file(**changes: Any) -> StudyFile:
    values: dict[str, Any] = {
        "name": "bars", "title": "Bars", "about": "Made up.", "samples": "none", "label": "kind", "group": "scene",
        "folds": 2, "seeds": 1, "fractions": [1.0], "probes": ["linear"], "grid": [{"train.lr": 1e-3}],
        "arms": {"near": {"rule": "same('place')"}}, "primary": {"arm": "near", "fraction": 1.0},
    }  # fmt: skip
    return StudyFile.model_validate({**values, **changes})


def run(material: Material, study: StudyFile, **options: Any) -> tuple[Any, list[str]]:
    lines: list[str] = []
    arms = all_arms((NEAR,), {"near": True}, pretrained=False, floors=material.floors, handmade=())
    values: dict[str, Any] = {"command": "ssl-domains x study", "jobs": 1, "say": lines.append}
    return conduct(study, material, arms, **{**values, **options}), lines


def ran(lines: list[str]) -> list[str]:
    """Titles of the cells that were run."""
    return [line.split("] ")[1].rpartition("): ")[0] for line in lines if line.startswith("[")]


def files(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "page" / name).read_bytes() for name in PAGES}


@pytest.fixture(scope="module")
def done(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Material:
    """A small study that ran to its end."""
    out = tmp_path_factory.mktemp("done")
    changes: dict[str, Any] = {"fractions": (1.0,), "probes": ("linear",), "handmade": {}}
    material = small_study.make_material(pictures, out, **changes)
    _, lines = run(material, study_file())
    assert ran(lines)
    return material


@pytest.fixture
def committed(done: Material, tmp_path: Path) -> Path:
    """The file of cells alone, as a fresh clone has it."""
    return Path(shutil.copy(done.out / "page" / "bars.cells.parquet", tmp_path / "bars.cells.parquet"))


def test_a_fresh_clone_with_the_cells_runs_nothing(done: Material, committed: Path, tmp_path: Path) -> None:
    fresh = dataclasses.replace(done, out=tmp_path / "out")
    found, lines = run(fresh, study_file(), committed=committed)
    assert ran(lines) == []
    assert not any("run anew" in line for line in lines)
    assert not (fresh.out / "cells").exists()
    assert files(fresh.out) == files(done.out)
    stored = json.loads((done.out / "results.json").read_text(encoding="utf-8"))
    assert found.result.to_dict() == stored


def test_another_seed_is_all_that_is_run(done: Material, committed: Path, tmp_path: Path) -> None:
    fresh = dataclasses.replace(done, out=tmp_path / "out")
    _, lines = run(fresh, study_file(seeds=2), committed=committed, only=["random", "floor: noise"])
    assert {title.split(" (")[0] for title in ran(lines)} == {"random", "floor: noise"}
    assert all("seed 1" in title for title in ran(lines))
    kept = read_cell_archive(fresh.out / "page" / "bars.cells.parquet")
    before = {cell.folder for cell in read_cell_archive(committed).cells}
    assert before < {cell.folder for cell in kept.cells}, "cells of the other arms are kept"
    assert kept.study == {}


def test_cells_of_other_data_are_run_anew_and_that_is_said(done: Material, committed: Path, tmp_path: Path) -> None:
    noise = done.table.frame["noise"] + 1
    changed = dataclasses.replace(done, out=tmp_path / "out", table=done.table.with_columns(noise=noise))
    _, lines = run(changed, study_file(seeds=1), committed=committed, only=["floor: noise"])
    assert len(ran(lines)) == 2
    assert (
        "2 stored cells are of other data or settings and run anew: floor: noise (fold 0, seed 0), "
        "floor: noise (fold 1, seed 0)" in lines
    )


def test_pages_are_made_anew_without_data(done: Material, tmp_path: Path) -> None:
    out = tmp_path / "out"
    shutil.copytree(done.out / "page", out / "page")
    before = files(out)
    for name in PAGES[:3]:
        (out / "page" / name).unlink()
    lines: list[str] = []
    pages_again(study_file(), out, command="ssl-domains x study", say=lines.append)
    assert files(out) == before
    assert (out / "report.html").read_bytes() == (done.out / "report.html").read_bytes()
    assert (out / "results.json").read_bytes() == (done.out / "results.json").read_bytes()
    assert "nothing is trained" in lines[0]


def test_what_the_study_file_says_now_is_on_the_page(done: Material, committed: Path, tmp_path: Path) -> None:
    changed = study_file(
        title="Bars again", margin=0.05, primary={"arm": "near", "against": "random", "fraction": 1.0},
        secondary=[{"arm": "near", "against": "supervised", "fraction": 1.0, "measure": "macro-F1"}],
    )  # fmt: skip
    written = pages_again(changed, tmp_path / "out", command="other words", say=print, committed=committed)
    page = (tmp_path / "out" / "page" / "bars.md").read_text(encoding="utf-8")
    assert page.startswith("# Bars again\n")
    assert "other words" in page
    assert "margin 0.05" in page
    assert "near − supervised, macro-F1" in page
    assert "| **random** |" in page
    assert (
        "The primary contrast was changed after results existed: it was first near against simclr, balanced accuracy "
        "of the linear probe at 1 of the labels." in page
    )
    assert [arm.name for arm in written.result.arms if arm.primary] == ["random", "near"]
    # The first contrast stays registered, however often the pages are made.
    back = pages_again(study_file(), tmp_path / "out", command="x", say=print)
    assert not any("was changed" in note for note in back.result.notes)


def test_pages_of_nothing_are_refused(done: Material, committed: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no stored cells in "):
        pages_again(study_file(), tmp_path / "none", command="x", say=print, committed=tmp_path / "none.parquet")
    for changes, said in (
        (
            {"fractions": [0.7], "primary": {"arm": "near", "fraction": 0.7}},
            r"have no balanced accuracy of 'near' .* at 0\.7 of the labels",
        ),
        ({"primary": {"arm": "near", "against": "far", "fraction": 1.0}}, "there is no arm 'far' to compare with"),
        ({"arms": {"far": {}}, "primary": {"arm": "far", "fraction": 1.0}}, "have no balanced accuracy of 'far'"),
    ):
        with pytest.raises(UsageError, match=said):
            pages_again(study_file(**changes), tmp_path / "out", command="x", say=print, committed=committed)
    write_cell_archive(committed, CellArchive(read_cell_archive(committed).cells))
    with pytest.raises(DataError, match="of a study that was not finished"):
        pages_again(study_file(), tmp_path / "out", command="x", say=print, committed=committed)
    write_cell_archive(committed, CellArchive(read_cell_archive(committed).cells, {"result": {}}))
    with pytest.raises(DataError, match="described in another way"):
        pages_again(study_file(), tmp_path / "out", command="x", say=print, committed=committed)
    assert not (tmp_path / "out" / "page").exists()


def test_a_number_that_is_not_that_of_the_cells_is_found(done: Material, tmp_path: Path) -> None:
    study = study_file(command="ssl-domains x study")
    published = tmp_path / "published"
    shutil.copytree(done.out / "page", published)
    assert unlike(study, published, tmp_path / "one") == []
    page = published / "bars.md"
    text = page.read_text(encoding="utf-8")
    number = re.search(r"0\.\d\d(\d) ", text)
    assert number is not None
    other = str((int(number[1]) + 1) % 10)
    page.write_text(text[: number.start(1)] + other + text[number.end(1) :], encoding="utf-8")
    (published / "bars-curves.svg").unlink()
    assert unlike(study, published, tmp_path / "two") == ["bars-curves.svg", "bars.md"]


def test_a_damaged_file_of_cells_stops_the_study(done: Material, committed: Path, tmp_path: Path) -> None:
    committed.write_bytes(committed.read_bytes()[:-50])
    fresh = dataclasses.replace(done, out=tmp_path / "out")
    with pytest.raises(DataError, match="can't be read"):
        run(fresh, study_file(), committed=committed)
    assert not (fresh.out / "cells").exists()


def test_a_stopped_study_leaves_its_cells(done: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ssl_domains.studies.measuring import run as running

    fresh = dataclasses.replace(done, out=tmp_path / "out")
    count = 0
    do_cell = running.do_cell

    def stopping(*arguments: Any) -> Any:
        nonlocal count
        count += 1
        if count == 3:
            raise KeyboardInterrupt
        return do_cell(*arguments)

    monkeypatch.setattr(running, "do_cell", stopping)
    with pytest.raises(KeyboardInterrupt):
        run(fresh, study_file(seeds=1))
    kept = read_cell_archive(fresh.out / "page" / "bars.cells.parquet")
    assert len(kept.cells) == 2
    assert kept.study == {}
