from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import made_up_study
from ssl_domains.studies.evidence.contrast import contrast
from ssl_domains.studies.evidence.contrasts import contrasts
from ssl_domains.studies.evidence.findings import findings
from ssl_domains.studies.evidence.holm import holm
from ssl_domains.studies.evidence.result import StudyResult
from ssl_domains.studies.evidence.sums import Evidence
from ssl_domains.studies.page.verdict import verdict


@pytest.fixture(scope="module")
def result() -> StudyResult:
    return made_up_study.made_up(12, 5)


def test_the_primary_contrast_is_not_corrected_and_the_others_are_one_family(result: StudyResult) -> None:
    first, *others = contrasts(result)
    assert first.primary
    assert first.found is not None
    assert first.p == first.found.interval.p
    raw = [row.found.interval.p for row in others if row.found is not None]
    assert [row.p for row in others] == pytest.approx(holm(raw))
    assert not any(row.primary for row in others)


def test_both_sides_are_of_the_asked_probe_fraction_and_measure(result: StudyResult) -> None:
    asked = replace(result.primary, probe="knn", fraction=1.0, measure="macro-F1")
    row = contrasts(replace(result, primary=asked, secondary=()))[0]
    sides = [result.score(arm, "knn", 1.0) for arm in (asked.a, asked.b)]
    assert all(side is not None for side in sides)
    expected = contrast(*(side.evidence["macro-F1"] for side in sides if side))
    assert row.found is not None
    assert (row.found.difference, row.found.interval.low) == (expected.difference, expected.interval.low)


def test_an_arm_that_was_not_measured_leaves_the_family(result: StudyResult) -> None:
    less = replace(result, scores=tuple(one for one in result.scores if one.arm != "volume"))
    rows = contrasts(less)
    (gone,) = [row for row in rows if "volume" in (row.spec.a, row.spec.b)]
    assert gone.found is None
    assert gone.p is None
    rest = [row for row in rows[1:] if row is not gone]
    assert [row.p for row in rest] == pytest.approx(holm([row.found.interval.p for row in rest if row.found]))


def test_every_verdict_is_said_in_words() -> None:
    result = made_up_study.made_up(40, 5)

    def told(one: StudyResult) -> tuple[str, str, str]:
        said = verdict(one, contrasts(replace(one, secondary=()))[0])
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
    assert (kind, lead) == ("open", "No difference between simclr and neighbours, batches only is claimed.")


def test_what_is_undefined_is_no_verdict(result: StudyResult) -> None:
    def emptied(one: Evidence) -> Evidence:
        return replace(one, sums=np.zeros_like(one.sums))

    scores = tuple(
        replace(one, evidence={name: emptied(each) for name, each in one.evidence.items()}) for one in result.scores
    )
    row = contrasts(replace(result, scores=scores))[0]
    assert row.p is None
    assert row.found is not None
    assert math.isnan(row.found.difference)
    said = verdict(result, row)
    assert said.kind == "none"
    assert "nan" not in said.sentence
    missing = verdict(result, contrasts(replace(result, scores=()))[0])
    assert missing.lead == "neighbours against simclr was not measured."


def test_a_contrast_says_who_read_labels_and_what_needs_no_encoder(result: StudyResult) -> None:
    asked = replace(result, primary=replace(result.primary, a="class"))
    remarks = verdict(asked, contrasts(asked)[0]).remarks
    assert remarks[0] == "class is supervised contrastive: its rule read 150 labels"
    assert remarks[-1].startswith("without an encoder, balanced accuracy is: floor: position 0.")
    assert "features: HOG 0." in remarks[-1]


def test_findings_are_computed_once_for_a_study(result: StudyResult) -> None:
    first = findings(result)
    assert findings(result) is first
    assert findings(replace(result)) is not first
    assert first.columns == (("linear", 0.1), ("linear", 1.0), ("knn", 0.1), ("knn", 1.0))
    assert len(first.estimates) == len(result.scores)


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_below_four_seeds_there_is_no_p_value_and_no_claim(seeds: int) -> None:
    result = made_up_study.made_up(40, seeds)
    rows = contrasts(result)
    assert all(row.p is None for row in rows)
    outcomes = [verdict(result, row) for row in rows]
    assert {one.kind for one in outcomes} == {"few"}
    assert outcomes[0].lead.startswith("No claim is made about neighbours and simclr: ")
    assert not any("p =" in one.sentence or "p <" in one.sentence for one in outcomes)
    assert ("95 % interval" in outcomes[0].sentence) == (seeds == 3)


def test_four_seeds_give_a_p_value_but_no_headline() -> None:
    result = made_up_study.made_up(40, 4)
    first, *others = contrasts(result)
    outcome = verdict(result, first)
    assert outcome.kind == "few"
    assert outcome.lead == "No claim is made about neighbours and simclr: 4 seeds are too few, a headline needs 5."
    assert ", p " in outcome.sentence
    assert "few" not in {verdict(result, row).kind for row in others}


def test_a_margin_is_read_from_the_interval_of_the_leading_measure() -> None:
    result = made_up_study.made_up(40, 5)
    first = contrasts(result)[0]
    assert first.found is not None
    low = first.found.interval.low
    assert low > 0

    def said(margin: float, study: StudyResult = result) -> tuple[str, str]:
        outcome = verdict(replace(study, margin=margin), contrasts(study)[0])
        return outcome.lead, outcome.sentence.rpartition(". ")[2]

    assert said(round(low / 2, 4)) == (
        f"neighbours beats simclr by more than {round(low / 2, 4):g}.",
        f"The whole interval lies beyond ±{round(low / 2, 4):g}, the smallest difference that matters in practice.",
    )
    assert said(0.9)[0] == "neighbours beats simclr by less than 0.9."
    middle = round(first.found.difference, 4)
    assert said(middle)[0] == "neighbours beats simclr."
    assert said(middle)[1].startswith(f"The interval lies neither beyond nor within ±{middle:g}")
    turned = made_up_study.turned(result)
    assert said(round(low / 2, 4), turned)[0] == f"simclr loses to neighbours by more than {round(low / 2, 4):g}."
    undecided = made_up_study.undecided(result)
    assert said(0.9, undecided)[0] == (
        "simclr and neighbours, batches only are equal in practice: they differ by less than 0.9."
    )
    other = replace(result, primary=replace(result.primary, measure="macro-F1"), margin=0.9)
    assert "±" not in verdict(other, contrasts(other)[0]).sentence
