"""The report of a fine-tuning: means in the table, warnings, and what is read back."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ssl_domains.errors import DataError
from ssl_domains.finetuning.report import (
    EQUAL_EFFORT,
    EQUAL_STEPS,
    FINE_TUNED,
    FROZEN,
    FineTuneReport,
    FineTuneRow,
    finetune_path,
    read_finetune_reports,
)
from ssl_domains.probes.overlap import POOLED

METRICS = ("balanced accuracy", "macro-F1", "AUROC", "accuracy")


def row(arm: str, draw: int, value: float | None, *, fraction: float = 0.1, **changes: Any) -> FineTuneRow:
    return FineTuneRow(
        arm, fraction, fraction, draw, 3, 30 + draw, 20, 0 if arm == FROZEN else 100, dict.fromkeys(METRICS, value),
        **{"levelled": None if arm == FROZEN else True, **changes},
    )  # fmt: skip


def report(*rows: FineTuneRow, **changes: Any) -> FineTuneReport:
    values: dict[str, Any] = {
        "label": "a/b", "task": "classification", "classes": ("x", "y"), "group": "patient", "test_groups": 5,
        "transductive": "", "supervised": 0, "pretraining_views": 1000, "dropped": 0, "rows": rows,
    }  # fmt: skip
    return FineTuneReport(**{**values, **changes})


def test_means_and_deviations_of_draws() -> None:
    made = report(row(FROZEN, 0, 0.5), row(FROZEN, 1, 0.7), row(FINE_TUNED, 0, 0.8), row(FINE_TUNED, 1, None))
    table = made.table()
    assert [one["balanced accuracy"] for one in table] == ["0.600 ± 0.141", "–"]
    assert [one["labels"] for one in table] == ["30–31", "30–31"]
    assert [one["steps"] for one in table] == ["–", "100"]
    assert made.mean(FROZEN, 0.1).value == pytest.approx(0.6)
    assert made.mean(FINE_TUNED, 0.1).value is None


def warnings(made: FineTuneReport) -> list[str]:
    return [line for line in made.remarks() if line.startswith("warning: ")]


def test_fine_tuned_below_its_own_frozen_probe_is_a_warning_at_that_fraction_only() -> None:
    rows = [row(FROZEN, 0, 0.6), row(FINE_TUNED, 0, 0.55), row(FROZEN, 1, 0.6), row(FINE_TUNED, 1, 0.64)]
    rows += [row(FROZEN, 0, 0.7, fraction=1.0), row(FINE_TUNED, 0, 0.8, fraction=1.0)]
    (line,) = warnings(report(*rows))
    assert "at 10 % of the labelled groups, fine-tuned is below its own frozen probe" in line
    assert "0.595 against 0.600" in line
    assert "--layers head" in line
    equal = [replace(one, values=dict.fromkeys(METRICS, 0.6)) for one in rows]
    assert warnings(report(*equal)) == []


def test_an_arm_whose_loss_has_not_levelled_is_a_warning() -> None:
    rows = [row(EQUAL_STEPS, 0, 0.5, levelled=False), row(EQUAL_STEPS, 1, 0.5), row(EQUAL_EFFORT, 0, 0.5)]
    (line,) = warnings(report(*rows))
    assert "the training loss of 'scratch, equal steps' has not levelled off after 100 steps in 1 of 2 draws" in line
    assert "is no control" in line
    (tuned,) = warnings(report(row(FINE_TUNED, 0, 0.9, levelled=False, fraction=1.0)))
    assert "at all labelled groups" in tuned
    assert "more steps may raise it" in tuned


def test_the_title_says_what_it_is_not() -> None:
    assert (
        report().title
        == "Fine-tuning for 'a/b' (classification, 5 held-out groups of 'patient') · one run, not evidence"
    )
    seen = report(transductive="2 of 5 test groups were pre-trained on, without their labels")
    assert seen.title.endswith("; transductive: 2 of 5 test groups were pre-trained on, without their labels")


def test_it_reads_back_and_a_damaged_file_is_said(tmp_path: Path) -> None:
    made = report(
        row(
            FINE_TUNED,
            0,
            None,
            reasons={"AUROC": "'x' is not in the test groups"},
            notes=("raised",),
            chosen={"C": 1.0},
        ),
        dropped=2,
    )
    path = made.write(tmp_path)
    assert path == finetune_path(tmp_path, "a/b") == tmp_path / "finetune-a_b.json"
    assert read_finetune_reports(tmp_path) == [made]
    assert "AUROC undefined: 'x' is not in the test groups" in made.remarks()
    assert "left out: 2 rows of the split without 'a/b'" in made.remarks()
    path.write_text("{")
    with pytest.raises(DataError, match=r"finetune-a_b\.json can't be read"):
        read_finetune_reports(tmp_path)


def test_dice_of_each_class_stands_in_the_table_of_masks() -> None:
    masks = FineTuneRow(
        FROZEN, 1.0, 1.0, 0, 3, 30, 20, 0, {"mean Dice": 0.5, "mean IoU": 0.4}, per_class={"x": 0.6, "y": None}
    )
    made = report(masks, task="segmentation", label="masks")
    assert made.headings[-8:] == ["mean Dice", "mean IoU", *POOLED, "Dice x", "Dice y"]
    assert [made.table()[0][name] for name in made.headings[-8:]] == ["0.500", "0.400", *"––––", "0.600", "–"]
