from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import made_up_study
from ssl_domains.studies.evidence.contrasts import contrasts
from ssl_domains.studies.evidence.findings import findings
from ssl_domains.studies.evidence.holm import holm
from ssl_domains.studies.evidence.result import StudyResult
from ssl_domains.studies.evidence.statistics import Evidence, contrast
from ssl_domains.studies.page.wording import verdict


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return made_up_study.made_up(12, 2)


def test_the_primary_contrast_is_not_corrected_and_the_others_are_one_family(result: StudyResult) -> None:
    first, *others = contrasts(result, draws=500)
    assert first.primary
    assert first.found is not None
    assert first.p == first.found.p
    raw = [row.found.p for row in others if row.found is not None]
    assert [row.p for row in others] == pytest.approx(holm(raw))
    assert not any(row.primary for row in others)


def test_both_sides_are_of_the_asked_probe_fraction_and_measure(result: StudyResult) -> None:
    asked = replace(result.primary, probe="knn", fraction=1.0, measure="macro-F1")
    row = contrasts(replace(result, primary=asked, secondary=()), draws=300)[0]
    sides = [result.score(arm, "knn", 1.0) for arm in (asked.a, asked.b)]
    assert all(side is not None for side in sides)
    expected = contrast(*(side.evidence["macro-F1"] for side in sides if side), draws=300)
    assert row.found is not None
    assert (row.found.difference, row.found.low) == (expected.difference, expected.low)


def test_an_arm_that_was_not_measured_leaves_the_family(result: StudyResult) -> None:
    less = replace(result, scores=tuple(one for one in result.scores if one.arm != "volume"))
    rows = contrasts(less, draws=300)
    (gone,) = [row for row in rows if "volume" in (row.spec.a, row.spec.b)]
    assert gone.found is None
    assert gone.p is None
    rest = [row for row in rows[1:] if row is not gone]
    assert [row.p for row in rest] == pytest.approx(holm([row.found.p for row in rest if row.found]))


def test_every_verdict_is_said_in_words() -> None:
    result = made_up_study.made_up(40, 3)

    def told(one: StudyResult) -> tuple[str, str, str]:
        said = verdict(one, contrasts(replace(one, secondary=()), draws=2000)[0])
        return said.kind, said.lead, said.sentence

    kind, lead, sentence = told(result)
    assert (kind, lead) == ("gain", "neighbours beats simclr.")
    assert "With labels of 10\u00a0% of the training groups and the linear probe, balanced accuracy is 0." in sentence
    assert "95 % interval +0." in sentence
    assert "four times in five" in sentence
    kind, lead, sentence = told(made_up_study.turned(result))
    assert (kind, lead) == ("loss", "simclr loses to neighbours.")
    assert "a difference of −0." in sentence
    kind, lead, _ = told(made_up_study.undecided(result))
    assert (kind, lead) == ("open", "Nothing can be told between simclr and neighbours, batches only.")


def test_what_is_undefined_is_no_verdict(result: StudyResult) -> None:
    def emptied(one: Evidence) -> Evidence:
        return replace(one, sums=np.zeros_like(one.sums))

    scores = tuple(
        replace(one, evidence={name: emptied(each) for name, each in one.evidence.items()}) for one in result.scores
    )
    row = contrasts(replace(result, scores=scores), draws=50)[0]
    assert row.p is None
    assert row.found is not None
    assert math.isnan(row.found.difference)
    said = verdict(result, row)
    assert said.kind == "none"
    assert "nan" not in said.sentence
    missing = verdict(result, contrasts(replace(result, scores=()), draws=50)[0])
    assert missing.lead == "neighbours against simclr was not measured."


def test_a_contrast_says_who_read_labels_and_what_needs_no_encoder(result: StudyResult) -> None:
    asked = replace(result, primary=replace(result.primary, a="class"))
    remarks = verdict(asked, contrasts(asked, draws=50)[0]).remarks
    assert remarks[0] == "class is supervised contrastive: its rule read 150 labels"
    assert remarks[-1].startswith("without an encoder, balanced accuracy is: floor: position 0.")
    assert "features: HOG 0." in remarks[-1]


def test_findings_are_drawn_once_for_a_study(result: StudyResult) -> None:
    first = findings(result, draws=50)
    assert findings(result, draws=50) is first
    assert findings(result, draws=60) is not first
    assert first.columns == (("linear", 0.1), ("linear", 1.0), ("knn", 0.1), ("knn", 1.0))
    assert len(first.estimates) == len(result.scores)
