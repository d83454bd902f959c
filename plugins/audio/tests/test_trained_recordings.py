"""Predictions tell recordings that the model was trained on, whole or in part, by name, file and contents."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from ssl_domains.cli.app import run as typed
from ssl_domains.engine.record.training_rows import training_rows
from ssl_domains.prediction.trained import trained_on
from ssl_domains.samples import SampleTable, read_table

from .sound_files import chirp, clip


def scanned(folder: Path, name: str, *options: str) -> SampleTable:
    out = folder.parent / f"{name}.parquet"
    assert typed(["audio", "scan", str(folder), "-o", str(out), *options]) == 0
    return read_table(out)


def answers(asked: SampleTable, trained: SampleTable) -> dict[str, bool]:
    found = trained_on(asked, training_rows(trained))
    return dict(zip(asked.frame["sample"], found.tolist(), strict=True))


def test_cuts_of_a_trained_recording_and_other_cuts_of_it(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    clip(folder / "a.wav", chirp(8000))
    clip(folder / "b.wav", chirp(8000, start=900, stop=3000))
    whole, cuts = scanned(folder, "whole"), scanned(folder, "cuts", "--cut", "0.25")
    first = whole.take(np.array([0]))
    found = answers(cuts, first)
    assert {name for name, trained in found.items() if trained} == {
        f"a.wav:{start}-{start + 2000}" for start in (0, 2000, 4000, 6000)
    }
    assert cuts.meta.whole_groups == ("source", "recording")
    third = cuts.take(np.array([2]))
    assert answers(whole, third) == {"a.wav": True, "b.wav": False}
    elsewhere = answers(scanned(folder, "others", "--cut", "0.1"), third)
    assert {name for name, trained in elsewhere.items() if trained} == {
        name for name in elsewhere if name.startswith("a.wav")
    }, "all of the recording, not only what overlaps"


def test_a_copy_under_another_name_and_the_file_from_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "all" / "north"
    clip(folder / "a.wav", chirp(8000))
    clip(folder / "b.wav", chirp(8000, start=900, stop=3000))
    trained = scanned(tmp_path / "all", "trained").take(np.array([0]))
    assert trained.frame["sample"].to_list() == ["north/a.wav"]
    assert answers(scanned(folder, "inner"), trained) == {"a.wav": True, "b.wav": False}
    copies = tmp_path / "new"
    copies.mkdir()
    shutil.copy(folder / "a.wav", copies / "x.wav")
    shutil.copy(folder / "b.wav", copies / "y.wav")
    assert answers(scanned(copies, "copies"), trained) == {"x.wav": True, "y.wav": False}
