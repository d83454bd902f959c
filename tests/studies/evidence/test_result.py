from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import made_up_study
from ssl_domains.errors import DataError, ResourceError
from ssl_domains.studies.design.measures import MEAN_DICE
from ssl_domains.studies.evidence.result import ArmResult, Score, StudyResult, read_study_result
from ssl_domains.studies.evidence.sums import Evidence


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return made_up_study.made_up(6, 2)


def without_evidence(one: StudyResult) -> dict[str, Any]:
    return {**one.__dict__, "scores": None}


def test_a_study_comes_back_from_json(result: StudyResult, tmp_path: Path) -> None:
    back = read_study_result(result.write(tmp_path / "results.json"))
    assert without_evidence(back) == without_evidence(result)
    assert len(back.scores) == len(result.scores)
    for one, other in zip(result.scores, back.scores, strict=True):
        assert (one.arm, one.probe, one.fraction, one.labels, one.plain) == (
            other.arm, other.probe, other.fraction, other.labels, other.plain,
        )  # fmt: skip
        assert list(one.evidence) == list(other.evidence)
        for name, evidence in one.evidence.items():
            found = other.evidence[name]
            assert found.measure is evidence.measure
            np.testing.assert_array_equal(found.sums, evidence.sums)
            assert (found.groups, found.seeds) == (evidence.groups, evidence.seeds)
    assert back.to_dict() == result.to_dict()


def test_measures_of_the_same_sums_share_them(result: StudyResult) -> None:
    (entry,) = result.scores[0].to_dict()["evidence"]
    assert entry["measures"] == ["balanced accuracy", "macro-F1"]
    assert isinstance(entry["sums"][0][0][0], int)


def test_what_was_not_measured_is_null_and_comes_back_as_nan(tmp_path: Path, result: StudyResult) -> None:
    sums = np.array([[[0.25, 1.0], [np.nan, np.nan]]])
    score = Score(
        "random", "dense", 1.0, 7, {"mean Dice": Evidence(MEAN_DICE, sums, ("a", "b"), (3,))}, {"AUROC": None}
    )
    path = replace(result, scores=(score,)).write(tmp_path / "results.json")
    assert "NaN" not in path.read_text(encoding="utf-8")
    assert json.loads(path.read_text(encoding="utf-8"))["scores"][0]["evidence"][0]["sums"] == [
        [[0.25, 1], [None, None]]
    ]
    (back,) = read_study_result(path).scores
    np.testing.assert_array_equal(back.evidence["mean Dice"].sums, sums)
    assert back.plain == {"AUROC": None}


@pytest.mark.parametrize("text", ["", "{}", '{"scores": 3}', "[1]"])
def test_a_broken_file_is_a_data_error(text: str, tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"results\.json can't be read"):
        read_study_result(path)


def test_a_failed_write_leaves_what_was_there(
    result: StudyResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"
    path.write_text("before", encoding="utf-8")

    def full(source: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ssl_domains.samples.writing.whole.os.replace", full)
    with pytest.raises(ResourceError, match="the disk is full: the result"):
        result.write(path)
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_arms_and_scores_are_found_by_name(result: StudyResult) -> None:
    assert result.arm("volume").rule == "same('volume')"
    with pytest.raises(KeyError):
        result.arm("nobody")
    score = result.score("volume", "knn", 0.1 + 1e-12)
    assert score is not None
    assert score.arm == "volume"
    assert result.score("volume", "knn", 0.2) is None
    with pytest.raises(ValueError, match="no kind of arm"):
        ArmResult("x", "", "control")  # type: ignore[arg-type]
