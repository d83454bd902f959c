"""The report on pairs: its numbers, its words, and its refusals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ssl_domains.errors import DataError, UsageError
from ssl_domains.pairs import BatchSampler, Composition, Objective, PairsReport, inspect_pairs, parse
from ssl_domains.pairs.inspection.whole_groups import one_value_a_group
from ssl_domains.samples import SampleTable


def inspect(
    columns: dict[str, Any], rule: str, composition: Composition | None = None, batch: int = 8, **options: Any
) -> PairsReport:
    table = SampleTable.of(columns)
    objective = parse(rule)
    bound = objective.bind(table, **({"emitted": options.pop("emitted")} if "emitted" in options else {}))
    sampler = BatchSampler(bound, composition, batch, table=table, edges=options.pop("edges", None))
    return inspect_pairs(table, objective, bound, sampler, **options)


def patients(n: int = 40, visits: int = 4) -> dict[str, Any]:
    """Label and scanner go with the patient; every fifth has no BCVA."""
    who = [k // visits for k in range(n)]
    return {
        "patient": [f"p{k}" for k in who],
        "label": ["sick" if k % 2 else "well" for k in who],
        "scanner": ["A" if k % 4 < 2 else "B" for k in who],
        "bcva": [None if k % 5 == 0 else float(k % 7) for k in range(n)],
        "constant": ["ANON"] * n,
        "file": [f"f{k}" for k in range(n)],
    }


def test_groups_are_counted_by_hand() -> None:
    columns = {"g": ["a"] * 1 + ["b"] * 2 + ["c"] * 2 + ["d"] * 5 + [None] * 3}
    groups = inspect(columns, "same('g')", batch=4).relations[0].groups
    assert groups is not None
    assert (groups.groups, groups.alone, groups.missing) == (4, 1, 3)
    assert groups.quantiles == (1.0, 1.75, 2.0, 2.75, 5.0)
    assert groups.histogram == {"1": 1, "2": 2, "3-4": 0, "5-8": 1}


def test_anchors_without_a_positive_are_counted_over_the_planned_epoch() -> None:
    columns = {"g": [k // 2 for k in range(12)] + [None] * 4}
    facts = inspect(columns, "same('g')", Composition("groups"), batch=4).relations[0]
    assert facts.without_cross_positive == pytest.approx(4 / 16)
    assert facts.cross_positives == pytest.approx(12 / 16)
    assert facts.measured_batches == 4


def test_each_relation_has_its_own_numbers() -> None:
    report = inspect(patients(), "0.7*same('patient') + 0.3*within('bcva', 1)", Composition("groups"))
    assert [facts.text for facts in report.relations] == ["same('patient')", "within('bcva', 1)"]
    assert [facts.weight for facts in report.relations] == [0.7, 0.3]
    assert report.relations[0].without_cross_positive == 0
    assert report.relations[1].groups is None
    assert 0 < report.relations[1].without_cross_positive < 1  # type: ignore[operator]


def test_positives_that_equal_the_label_are_named() -> None:
    report = inspect(patients(), "same('label')", label="label", nuisance=("scanner",))
    label, scanner = report.relations[0].sharing
    assert (label.role, label.agreement, label.recall) == ("label", 1.0, 1.0)
    assert label.nmi == pytest.approx(1)
    assert label.verdict == "these positives are the label"
    assert scanner.verdict == "positives share the scanner about as often as chance"
    assert "same('label'): these positives are the label" in report.warnings


def test_positives_that_equal_the_scanner_are_named() -> None:
    report = inspect(patients(), "same('scanner')", nuisance=("scanner",))
    assert report.relations[0].sharing[0].verdict == "these positives are the scanner"
    assert report.warnings == ["same('scanner'): these positives are the scanner"]


def test_a_predicate_is_judged_by_its_pairs() -> None:
    columns = {"x": [float(k // 20) for k in range(40)], "side": ["left"] * 20 + ["right"] * 20}
    sharing = inspect(columns, "within('x', 0.5)", label="side").relations[0].sharing[0]
    assert sharing.nmi is None
    assert sharing.verdict == "these positives are the label"


def test_positives_that_share_a_column_more_often_than_chance() -> None:
    sharing = inspect(patients(), "same('patient')", Composition("groups"), label="label").relations[0].sharing[0]
    assert sharing.agreement == 1
    assert sharing.chance == pytest.approx(2 * 20 * 19 / (40 * 39))
    assert sharing.verdict == "these positives share the label, though not only they do"


def test_expected_false_negatives_by_hand() -> None:
    """Batch = all 4 rows: two pairs of one group, all of one label but the last row."""
    columns = {"g": [0, 0, 1, 1], "y": ["a", "a", "a", "b"]}
    report = inspect(columns, "same('g')", batch=4, label="y")
    # 8 ordered negative pairs: rows 0, 1 against 2, 3; those with 2 share the label: 4
    assert report.false_negatives == pytest.approx(4 / 8)
    assert report.false_negatives_an_anchor == pytest.approx(4 / 4)


def test_what_is_ignored_is_no_false_negative() -> None:
    columns = {"g": [0, 0, 1, 1], "y": ["a", "a", "a", "b"]}
    report = inspect(columns, "same('g').ignore(same('y'))", batch=4, label="y")
    assert report.false_negatives == 0


def test_numbers_of_many_values_are_compared_in_tenths() -> None:
    rng = np.random.default_rng(0)
    columns = {"g": [k // 4 for k in range(200)], "age": rng.normal(size=200)}
    sharing = inspect(columns, "same('g')", Composition("groups"), nuisance=("age",)).relations[0].sharing[0]
    assert sharing.chance == pytest.approx(0.1, abs=0.01)


def test_lists_are_compared_as_sets() -> None:
    columns = {
        "g": [0, 0, 1, 1, 2, 2],
        "marks": [["fault", "channel"], ["channel", "fault"], [], ["fault"], None, ["fault"]],
    }
    sharing = inspect(columns, "same('g')", Composition("groups"), batch=6, label="marks").relations[0].sharing[0]
    assert sharing.agreement == 0.5  # the first pair agrees in any order, the second does not, the third is unknown
    assert sharing.chance == pytest.approx(2 / 10)  # pairs of five known rows: the first two, and those of a fault


def test_columns_report_missing_and_constant_values() -> None:
    report = inspect(patients(), "same('patient') + within('bcva', 1)")
    bcva, patient = report.columns
    assert (bcva.name, bcva.missing, bcva.distinct, bcva.all_unique) == ("bcva", 8, 7, False)
    assert (patient.missing, patient.constant) == (0, False)
    assert "column 'bcva' is missing in 20.0 % of rows" in report.warnings


def test_the_composition_and_its_reason_are_reported() -> None:
    report = inspect(patients(80, 2), "same('patient')")
    assert report.composition == "groups"
    assert dict(report.rows())["composition"].startswith("groups of 2 (only ")


# refusals ----------------------------------------------------------------------------------------------------------


def refusal(report: PairsReport) -> str:
    with pytest.raises(DataError) as caught:
        report.check()
    assert caught.value.exit_code == 4
    assert caught.value.hint
    assert caught.value.message == report.refusals[0]
    return caught.value.message


def test_no_positive_of_another_sample_anywhere_equals_simclr() -> None:
    columns = {"x": [float(10 * k) for k in range(16)]}
    assert "this equals SimCLR" in refusal(inspect(columns, "within('x', 1)"))


def test_random_batches_without_positives_equal_simclr() -> None:
    columns = {"g": [k // 2 for k in range(4)] * 1 + list(range(10, 4000))}
    assert "this equals SimCLR" in refusal(inspect(columns, "same('g')", Composition("random"), batch=2))


def test_a_column_that_is_all_unique_is_refused_by_name() -> None:
    assert "'file' is all unique" in refusal(inspect(patients(), "same('file')"))
    assert "'file' is all unique" in refusal(inspect(patients(), "same('patient') + same('label', 'file')"))


def test_a_number_that_is_all_unique_is_fine_in_a_window_or_in_bins() -> None:
    columns = {"x": [float(k) for k in range(32)]}
    for rule in ("within('x', 2)", "same(bins('x', 4))", "same(bins('x', 4)) | same('x')"):
        report = inspect(columns, rule)
        assert report.columns[0].all_unique
        report.check()


@pytest.mark.parametrize(
    "rule", ["same('constant')", "same('patient') + same('constant')", "within('x', 100)", "~same('file')"]
)
def test_a_relation_that_matches_all_pairs_is_refused(rule: str) -> None:
    columns = {**patients(), "x": [float(k) for k in range(40)]}
    assert "matches all pairs" in refusal(inspect(columns, rule))


def test_nearly_all_pairs_are_not_all() -> None:
    columns = {"x": [0.0] * 39 + [5.0], "c": ["ANON"] * 39 + [None]}
    inspect(columns, "within('x', 1)").check()
    report = inspect(columns, "same('c')")
    report.check()
    assert "column 'c' is constant" in report.warnings


def test_bins_that_an_outlier_empties_are_a_warning() -> None:
    even = [float(k % 30) for k in range(120)]
    far = [*even[:-1], 1000.0]
    assert inspect({"x": even}, "same(bins('x', 3))").warnings == []
    (warning,) = inspect({"x": far}, "same(bins('x', 3)) + same(bins('x', 3))").warnings
    assert warning == (
        "2 of 3 bins of bins('x', 3) hold 1 of 120 rows: equal widths reach from 0 to 1000, and 90 % of the values lie "
        "between 1 and 28; write bins('x', 3, by='quantile') for equal counts"
    )
    for rule in ("same(bins('x', 3, by='quantile'))", "same(bins('x', 3, range=(0, 30)))"):
        assert inspect({"x": far}, rule).warnings == []
    assert inspect({"x": [1.0, 2.0, 90.0] * 3}, "same(bins('x', 3))").warnings == []  # too few rows to judge


def test_below_half_of_anchors_is_a_warning_not_a_refusal() -> None:
    report = inspect({"g": [0, 0, *range(1, 31)]}, "same('g')", Composition("groups"))
    report.check()
    assert any(warning.startswith("93.8 % of anchors have no positive") for warning in report.warnings)


def rare(share: float, n: int = 400) -> dict[str, Any]:
    """So many of the rows have a partner of the same value; the others have no value."""
    few = round(share * n)
    return {"g": [k // 2 if k < few else None for k in range(n)]}


def test_a_rule_that_nearly_equals_simclr_is_refused_with_both_shares() -> None:
    report = inspect(rare(0.04), "same('g')", Composition("groups"), batch=40)
    share = report.relations[0].without_cross_positive
    assert share is not None
    assert 0.95 <= share < 1
    assert refusal(report) == (
        f"{100 * share:.1f} % of all anchors have no positive of another sample in the 10 planned batches; 96.0 % of "
        "rows match no row of the table: in practice this equals SimCLR"
    )
    assert report.hints[0] == (
        "keep the rows that have the rule's values: ssl-domains tables filter TABLE --where 'g!=' -o OUT; "
        "--anyway (pairs.anyway = true) trains it all the same"
    )
    assert not any("have no positive" in warning for warning in report.warnings)


def test_shares_are_of_all_anchors_also_of_those_without_a_value() -> None:
    """Rows without a value are anchors in the planned batches, too; of 1,000 anchors 6 % have a partner."""
    report = inspect(rare(0.06, 1000), "same('g')", Composition("random"), batch=1000)
    assert report.relations[0].without_cross_positive == pytest.approx(0.94)
    assert report.coverage is not None
    assert report.coverage.without == pytest.approx(0.94)
    assert report.coverage.unmatched is None
    report.check()


def test_random_batches_that_miss_the_partners_are_refused_with_another_composition() -> None:
    report = inspect({"g": [k // 2 for k in range(400)]}, "same('g')", Composition("random"), batch=8)
    assert "; 0.0 % of rows match no row of the table" in refusal(report)
    assert "--set pairs.composition=groups" in report.hints[0]
    inspect({"g": [k // 2 for k in range(400)]}, "same('g')", Composition("groups"), batch=8).check()


def test_numbers_without_missing_values_get_a_wider_window_as_a_hint() -> None:
    report = inspect({"x": [float(10 * k + (k % 60 == 1) * -9.5) for k in range(240)]}, "within('x', 1)", batch=240)
    assert report.coverage is not None
    assert report.coverage.unmatched == report.coverage.without == pytest.approx(1 - 8 / 240)
    assert "a wider window" in report.hints[0]
    assert refusal(report)


def test_two_relations_are_refused_only_when_both_leave_the_same_anchors_alone() -> None:
    columns = {**rare(0.02, 200), "h": [k // 2 for k in range(200)]}
    together = inspect(columns, "same('g') + same('h')", Composition("groups", compose_by=1), batch=20)
    together.check()
    assert any("under same('g')" in warning for warning in together.warnings)
    columns["h"] = [None] * 196 + ["a", "a", "b", "b"]
    assert "; 96.0 % of rows match no row" in refusal(inspect(columns, "same('g') + same('h')", batch=200))


def test_anyway_turns_this_refusal_into_a_warning_and_no_other_one() -> None:
    report = inspect(rare(0.04), "same('g')", Composition("groups"), batch=40, anyway=True)
    report.check()
    assert report.warnings[0].endswith("in practice this equals SimCLR; trained all the same (pairs.anyway)")
    assert "all unique" in refusal(inspect(patients(), "same('file')", anyway=True))
    nothing = {"x": [float(10 * k) for k in range(16)]}
    assert "no anchor has a positive" in refusal(inspect(nothing, "within('x', 1)", anyway=True))


def test_parts_of_one_sample_are_positives_so_that_it_is_not_simclr() -> None:
    inspect(rare(0.04), "same('sample').across_parts()", batch=40).check()


# nuisance by groups ------------------------------------------------------------------------------------------------


def visits(people: int, scanners: int = 2, n: int = 120) -> dict[str, Any]:
    """Each patient has one scanner; ``eye`` alternates."""
    who = [k % people for k in range(n)]
    return {
        "patient": [f"p{k}" for k in who],
        "scanner": [f"scanner {k % scanners}" for k in who],
        "eye": [("left", "right")[k // people % 2] for k in range(n)],
        "volume": [f"{k % people}-{k // people % 2}" for k in range(n)],
    }


@pytest.mark.parametrize(("people", "judged"), [(4, False), (7, False), (8, True), (12, True)])
def test_a_nuisance_of_few_groups_is_not_judged(people: int, judged: bool) -> None:
    report = inspect(visits(people), "same('eye')", batch=40, nuisance=("scanner",), group="patient")
    sharing = report.relations[0].sharing[0]
    assert sharing.groups == people
    few = f"seen with only {people} groups: too few to judge (8 are the least)"
    assert sharing.verdict == ("positives share the scanner about as often as chance" if judged else few)
    assert not any("scanner" in warning for warning in report.warnings)


@pytest.mark.parametrize(("values", "judged"), [(1, False), (2, True)])
def test_a_nuisance_that_varies_within_few_groups_is_judged(values: int, judged: bool) -> None:
    """Four patients with two hours each are eight pairs of patient and hour; with one hour each they are four."""
    columns = visits(4)
    columns["hour"] = [k % 4 + 10 * (k // 8 % values) for k in range(120)]
    report = inspect(columns, "same('eye')", batch=120, nuisance=("hour",), group="patient")
    sharing = report.relations[0].sharing[0]
    assert sharing.groups == 4
    few = "seen with only 4 groups: too few to judge (8 are the least)"
    assert sharing.verdict == ("positives share the hour about as often as chance" if judged else few)


def test_groups_are_those_of_positives_with_known_values() -> None:
    """Of 12 patients, the scanner is known of 5, and one of these has no positive; rows of no patient don't count."""
    columns = visits(12)
    columns["scanner"] = [value if k % 12 < 5 else None for k, value in enumerate(columns["scanner"])]
    columns["day"] = [k % 12 if k % 12 != 4 else 100 + k for k in range(120)]
    columns["patient"] = [value if k % 12 != 3 else None for k, value in enumerate(columns["patient"])]
    report = inspect(columns, "same('day')", batch=120, nuisance=("scanner",), group="patient")
    assert report.relations[0].sharing[0].groups == 3
    without_group = inspect(columns, "same('day')", batch=120, nuisance=("scanner",))
    assert without_group.relations[0].sharing[0].groups == 40


def test_what_the_rule_compares_itself_is_judged_whatever_the_number_of_groups() -> None:
    report = inspect(visits(4), "same('scanner')", batch=40, nuisance=("scanner",), group="patient")
    assert report.relations[0].sharing[0].verdict == "these positives are the scanner"


def test_a_label_is_judged_whatever_the_number_of_groups_and_its_remark_stands_beside() -> None:
    report = inspect(visits(4), "same('patient')", batch=40, label="eye", group="patient")
    assert "about as often as chance" in report.relations[0].sharing[0].verdict
    text = dict(report.rows())["  label eye"]
    assert text.endswith("as chance (this alone does not tell a good rule from a bad one)")


@pytest.mark.parametrize(
    ("rule", "warning"),
    [
        ("same('patient')", "every patient has one scanner: positives of same('patient') share it, too"),
        ("same('patient', 'eye')", "every group of same('patient', 'eye') has one scanner: positives of "),
        ("same('volume') & ~same('eye', 'patient') | same('volume')", "all positives of "),
        ("same('patient') & same('volume')", "every group of same('patient') & same('volume') has one "),
    ],
)
def test_positives_of_one_scanner_are_warned_of(rule: str, warning: str) -> None:
    report = inspect(visits(12), rule, batch=40, nuisance=("scanner",), group="patient")
    (told,) = [text for text in report.warnings if "scanner" in text]
    assert told.startswith(warning)


def test_patients_of_several_scanners_and_one_scanner_for_all_are_no_warning() -> None:
    several = visits(12)
    several["scanner"][0] = "scanner 1"
    one = {**several, "scanner": ["scanner 0"] * 120}
    for columns in (several, one):
        report = inspect(columns, "same('patient')", batch=40, nuisance=("scanner",), group="patient")
        assert not any("scanner" in text for text in report.warnings)


def test_one_value_a_group_by_hand() -> None:
    codes = np.array([0, 0, 1, 1, 2, -1, -1])
    assert one_value_a_group(codes, np.array([5, 5, 6, 6, 7, 1, 2]))
    assert one_value_a_group(codes, np.array([5, 5, 6, -1, 7, 1, 2]))
    assert not one_value_a_group(codes, np.array([5, 5, 6, 7, 7, 1, 2]))
    assert not one_value_a_group(codes, np.array([5, -1, 6, -1, 7, 1, 2]))  # no group has two known values


def test_no_relation_is_plain_simclr_and_says_so_without_a_refusal() -> None:
    report = inspect(patients(), "none", label="label")
    report.check()
    assert report.relations == ()
    assert dict(report.rows())["relations"] == "none: own views only, plain SimCLR"
    assert report.false_negatives == pytest.approx(0.5, abs=0.1)


def test_across_parts_one_sample_is_enough() -> None:
    report = inspect(patients(), "same('sample').across_parts()")
    report.check()
    assert not any("no positive of another sample" in line for line in report.warnings)


def test_emitted_numbers_are_neither_counted_nor_refused() -> None:
    report = inspect(patients(), "within('angle', 0.1)", emitted=("angle",))
    report.check()
    assert report.relations[0].without_cross_positive is None
    assert "  cross-sample positives" in dict(report.rows())


def test_lists_are_described_by_their_members() -> None:
    columns = {"tags": [["a", "b"], ["a"], [], None, ["a", "a"], ["b"]] * 4, "one": [["a"]] * 24}
    report = inspect(columns, "overlap('tags') + overlap('one')")
    one, tags = report.columns
    assert (tags.distinct, tags.missing, tags.constant, tags.all_unique) == (2, 4, False, False)
    assert (one.distinct, one.constant) == (1, True)
    alone = inspect({"tags": [[f"t{k}", f"u{k}"] for k in range(16)]}, "overlap('tags')")
    assert alone.columns[0].all_unique
    assert "this equals SimCLR" in refusal(alone)


def test_edges_that_join_no_rows_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`linked` matches across parts, but never a sample with itself."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "edges.csv").write_text("a,b\np0,nobody\n")
    assert "this equals SimCLR" in refusal(inspect(patients(), "linked('edges.csv', key='file')"))
    (tmp_path / "edges.csv").write_text("a,b\n" + "".join(f"f{k},f{k + 1}\n" for k in range(39)))
    inspect(patients(), "linked('edges.csv', key='file')", batch=40).check()


def test_a_partnered_plan_counts_its_seeds() -> None:
    report = inspect(patients(), "same('patient')", Composition("partner"), batch=8, label="label")
    assert (report.batch_size, report.steps) == (8, 5)
    assert dict(report.rows())["composition"].startswith("partner (")


def test_drawn_negatives_are_candidates_and_no_anchors() -> None:
    """By plain loops over the planned batches: anchors are seeds and partners, candidates all samples of the batch."""
    columns = patients()
    composition = Composition("partner", negatives="same('scanner')", n_negatives=2)
    report = inspect(columns, "same('patient')", composition, label="label")
    sampler = BatchSampler(parse("same('patient')").bind(columns), composition, 8, table=columns)
    met, false, anchors = [], 0, 0
    for batch in sampler.plan(0).tolist():
        met += [len({j for j in batch if j != i and j // 4 == i // 4}) for i in batch[:16]]
        anchors += len(set(batch[:16]))
        alike = [(i, j) for i in set(batch[:16]) for j in set(batch) if columns["label"][i] == columns["label"][j]]
        false += sum(i // 4 != j // 4 for i, j in alike)
    assert report.relations[0].cross_positives == pytest.approx(np.mean(met))
    assert report.relations[0].without_cross_positive == 0
    assert report.false_negatives_an_anchor == pytest.approx(false / anchors)
    assert (report.seats, report.batch_size, report.steps) == (4, 8, 5)


def test_the_negatives_are_reported_in_words_and_numbers() -> None:
    edges = {"mined": {"a": ["0", "4", "8"], "b": ["20", "5", "30"]}}  # the second is a positive of its seed
    composition = Composition("partner", negatives="linked('mined')", warmup="same('scanner')")
    report = inspect(patients(), "same('patient')", composition, batch=8, edges=edges)
    facts = report.negatives
    assert facts is not None
    assert (facts.by_rule, facts.by_warmup, facts.random, facts.repeated) == (4 / 40, 0.0, 36 / 40, 0.0)
    expected = "1 a slot: 10.0 % by linked('mined'); 0.0 % by the warm-up same('scanner'); 90.0 % random rows"
    assert dict(report.rows())["negatives"] == expected
    assert json.loads(json.dumps(report.to_dict()))["negatives"]["random"] == 0.9
    none = {"mined": {"a": [], "b": []}}
    lone = inspect(patients(), "same('patient')", Composition("random", negatives="linked('mined')"), edges=none)
    assert "0.0 % by linked('mined'), which matches nothing possible" in dict(lone.rows())["negatives"]


def test_seeds_of_one_side_are_counted() -> None:
    columns = {"side": ["q"] * 12 + ["d"] * 12, "topic": [*range(12), *range(10), 0, 0]}
    rule = "same('topic') & ~same('side')"
    rows = dict(inspect(columns, rule, Composition("partner", seeds="q"), batch=5).rows())
    assert rows["seeds"] == "10 rows; 2 others of their side match no row"
    assert "the seeds are rows of 'q'" in rows["composition"]
    assert "seeds" not in dict(inspect(patients(), "same('patient')").rows())


# forms -------------------------------------------------------------------------------------------------------------


def test_the_dictionary_is_json_and_keeps_everything() -> None:
    report = inspect(
        patients(), "0.7*same('patient') + 0.3*within('bcva', 1)", label="label", nuisance=("scanner", "label")
    )
    back = json.loads(json.dumps(report.to_dict()))
    assert back["relations"][0]["sharing"][0]["verdict"] == report.relations[0].sharing[0].verdict
    assert [sharing["column"] for sharing in back["relations"][0]["sharing"]] == ["label", "scanner"]
    assert back["refusals"] == []


def test_rows_are_pairs_of_text() -> None:
    rows = inspect(patients(), "same('constant')", label="label").rows()
    assert all(isinstance(what, str) and isinstance(value, str) for what, value in rows)
    assert rows[-1][0] == "refused"


def test_fitted_edges_are_kept_for_the_record() -> None:
    table = SampleTable.of({"x": [float(k) for k in range(8)]})
    objective = parse("1*same(bins('x', 2))")
    assert isinstance(objective, Objective)
    fitted = objective.fit(table)
    bound = objective.bind(table, fitted)
    report = inspect_pairs(table, objective, bound, BatchSampler(bound, None, 4), fitted=fitted)
    assert report.edges == {"bins('x', 2)": [0.0, 3.5, 7.0]}


def test_a_label_that_is_not_there_is_a_usage_error() -> None:
    with pytest.raises(UsageError) as caught:
        inspect(patients(), "same('patient')", label="lable")
    assert caught.value.hint
