"""Which cells of a study count once something was changed."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import small_study
from ssl_domains.engine import RunConfig
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.studies import Arm, Material, StudyFile, all_arms, conduct
from ssl_domains.studies.design.arms import read_columns
from ssl_domains.studies.measuring import identity
from ssl_domains.studies.measuring.identity import measured_values, shared_identity, with_identity
from ssl_domains.views import Intensity, ViewRecipe
from stack_reader import StackReader

NEAR = Arm("near", "same place", "rule", "same('place')", reads=frozenset({"place"}))
LIT = Arm("lit", "same light", "rule", "same('light')", reads=frozenset({"light"}))
OWN = ("near", "near, batches only", "near, shuffled")


def study_file(**changes: Any) -> StudyFile:
    values: dict[str, Any] = {
        "name": "bars", "title": "Bars", "about": "Made up.", "samples": "none", "label": "kind", "group": "scene",
        "folds": 2, "seeds": 1, "fractions": [1.0], "probes": ["k-NN"], "nuisance": [],
        "arms": {"near": {"rule": "same('place')"}, "lit": {"rule": "same('light')"}},
        "primary": {"arm": "near", "fraction": 1.0, "probe": "k-NN"},
    }  # fmt: skip
    return StudyFile.model_validate({**values, **changes})


def redone(material: Material, study: StudyFile, *named: Arm) -> list[str]:
    """The arms whose cells a study did anew."""
    arms = all_arms(named, {arm.name: True for arm in named}, pretrained=False, floors=material.floors, handmade=())
    lines: list[str] = []
    conduct(study, material, arms, command="ssl-domains x study", jobs=1, say=lines.append)
    return [line.split("] ")[1].split(" (")[0] for line in lines if line.startswith("[")]


@pytest.fixture(scope="module")
def done(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Material:
    """A study that ran, of the arm `near`."""
    changes: dict[str, Any] = {"fractions": (1.0,), "primary_probe": "k-NN", "probes": ("k-NN",), "nuisance": ()}
    material = small_study.make_material(pictures, tmp_path_factory.mktemp("done"), handmade={}, **changes)
    assert set(redone(material, study_file(), NEAR)) >= {"random", "supervised", "simclr", *OWN}
    return material


@pytest.fixture
def material(done: Material, tmp_path: Path) -> Material:
    """The same, to be changed."""
    shutil.copytree(done.out, tmp_path / "study")
    return dataclasses.replace(done, out=tmp_path / "study")


def with_place(table: SampleTable) -> SampleTable:
    return table.with_columns(place=table.frame["place"].reverse())


def test_contrasts_words_and_arms_leave_what_is_done(material: Material) -> None:
    more = study_file(
        title="Bars again",
        primary={"arm": "near", "against": "random", "fraction": 1.0, "probe": "k-NN"},
        secondary=[{"arm": "near", "against": "near, shuffled", "fraction": 1.0, "probe": "k-NN"}],
    )
    assert redone(material, more, NEAR) == []
    assert set(redone(material, more, NEAR, LIT)) == {"lit", "lit, batches only", "lit, shuffled"}


def test_another_seed_is_added(material: Material) -> None:
    arms = redone(material, study_file(seeds=2), NEAR)
    assert arms.count("simclr") == 2  # folds


def test_a_column_that_a_rule_reads_takes_its_arms_along(material: Material) -> None:
    changed = dataclasses.replace(material, table=with_place(material.table))
    assert set(redone(changed, study_file(), NEAR)) == set(OWN)


def test_a_table_of_its_own_takes_its_arms_along(material: Material) -> None:
    arm = dataclasses.replace(NEAR, columns="other.parquet")
    found = []
    for other in (material.table, with_place(material.table)):
        own = dataclasses.replace(material, columns={"other.parquet": other})
        found.append(with_identity(own, arm).data)
    assert found[0] == with_identity(material, NEAR).data != found[1]


def test_a_column_that_the_views_read(material: Material) -> None:
    class Noted(Intensity):
        columns = ("noise",)

    def recipe(table: SampleTable, config: Any) -> ViewRecipe:
        return ViewRecipe((Noted(reason="gain does not matter"),), config.views.size)

    simclr = Arm("simclr", "", "simclr")
    table = material.table.with_columns(noise=material.table.frame["noise"] + 1)
    found = [
        [
            with_identity(dataclasses.replace(material, table=one, recipe=views), simclr).data
            for one in (material.table, table)
        ]
        for views in (material.recipe, recipe)
    ]
    assert found[0][0] == found[0][1]
    assert found[1][0] != found[1][1]


def test_an_edge_file(material: Material, tmp_path: Path) -> None:
    file = tmp_path / "edges.csv"
    rule = f"linked('{file}')"
    found = []
    for rows in ("g00-0,g00-1\n", "g00-0,g00-2\n"):
        file.write_text("a,b\n" + rows)
        found.append(with_identity(material, Arm("linked", "", "rule", rule, reads=read_columns(rule))).data)
    assert found[0] != found[1]


@pytest.mark.parametrize("column", ["kind", "scene", "noise"])
def test_labels_groups_and_floors_are_everybodys(material: Material, column: str) -> None:
    frame = material.table.frame
    changed = dataclasses.replace(material, table=material.table.with_columns(**{column: frame[column].reverse()}))
    assert shared_identity(study_file(), changed) != shared_identity(study_file(), material)


def test_a_column_that_nobody_reads_is_nobodys(material: Material) -> None:
    more = dataclasses.replace(
        material, table=material.table.with_columns(remark=pl.Series(["x"] * len(material.table)))
    )
    assert shared_identity(study_file(), more) == shared_identity(study_file(), material)
    assert with_identity(more, NEAR) == with_identity(material, NEAR)


def test_images_are_everybodys(material: Material, pictures: Path, tmp_path: Path) -> None:
    stack = np.load(pictures / "stack.npy")
    files = []
    for value in (stack[5, 0, 0, 0], stack[5, 0, 0, 0] + 1):
        stack[5, 0, 0, 0] = value
        np.save(tmp_path / "stack.npy", stack)
        table = material.table.with_columns(path=pl.Series([str(tmp_path / "stack.npy")] * len(material.table)))
        store = ArrayStore.fill(tmp_path / f"store{value}", table, StackReader())
        files.append(shared_identity(study_file(), dataclasses.replace(material, table=table, store=store)))
    assert files[0] == shared_identity(study_file(), material) != files[1]


def test_only_keys_that_came_later_are_left_out_and_only_where_they_change_nothing() -> None:
    config = RunConfig()
    left_out = set(config.flat()) - set(measured_values(config))
    others = {
        "encoder.dropout": 0.1, "encoder.freeze": 1, "encoder.segments": 2, "pairs.shuffle_within": "side",
        "train.layer_decay": 0.5, "views.crop": 64,
    }  # fmt: skip
    assert left_out == set(others)
    changed = config.with_values(others)
    assert measured_values(changed) == changed.flat()


def test_a_key_that_came_later_changes_nothing_where_it_is_not_given(
    material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "_hash", lambda values: values)
    hashed: Any = shared_identity(study_file(), material)
    assert "standardise_by" not in hashed["study"]
    assert "head_lr" not in hashed["study"]["finetune"]
    faster: Any = shared_identity(study_file(finetune={"head_lr": 0.02}), material)
    assert faster["study"]["finetune"]["head_lr"] == 0.02
    within = dataclasses.replace(material, standardise_by="place")
    hashed = shared_identity(study_file(standardise_by="place"), within)
    assert hashed["study"]["standardise_by"] == "place"
    assert "place" in hashed["rows"]["columns"]
