"""``pairs``: the numbers before a training, and what must not be trained on."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from ssl_domains.samples import read_table, write_table


def test_numbers_as_a_table_and_as_json(samples, cli):
    done = cli("toy", "pairs", samples, "--pairs", "patient", "--label", "kind", "--batch-size", "8")
    assert done.code == 0, done.err
    assert "same('patient') on 36 training rows" in done.out
    found = cli("toy", "pairs", samples, "--pairs", "patient", "--label", "kind", "--batch-size", "8", "--json")
    assert isinstance(found.json, dict)
    assert found.json


def test_only_training_rows_are_looked_at(samples, cli):
    # The 12 held-out toys are no part of it: 9 of 12 patients are left.
    assert "36 training rows" in cli("toy", "pairs", samples, "--rule", "same('patient')").out


def test_the_rule_text_and_the_sampler_are_the_same(samples, cli):
    by_name = cli("toy", "pairs", samples, "--pairs", "by(column='kind')", "--json")
    by_rule = cli("toy", "pairs", samples, "--rule", "same('kind')", "--json")
    assert by_name.json == by_rule.json


def test_drawn_negatives_are_shown_also_before_they_are_mined(samples, cli):
    words = ["--rule", "same('patient') & same('kind')", "--batch-size", "8", "--set", "pairs.composition=partner"]
    words += ["--set", "pairs.seeds=a", "--set", "pairs.n_negatives=2", "--set", "pairs.bucket=height"]
    done = cli("toy", "pairs", samples, *words, "--set", "pairs.negatives=linked('mined')")
    assert done.code == 0, done.err
    shown = " ".join(done.out.split())
    assert "2 a slot: 0.0 % by linked('mined'), which matches nothing possible; 100.0 % random rows" in shown
    found = cli("toy", "pairs", samples, *words, "--set", "pairs.negatives=same('kind')", "--json").json
    assert (found["seats"], found["seeds"], found["left_out"]) == (4, 18, 0)
    assert (found["negatives"]["by_rule"], found["negatives"]["random"]) == (1.0, 0.0)


def test_the_default_batch_fits_an_odd_number_of_rows_and_of_seeds(samples, cli, tmp_path):
    """35 training rows in groups of 2, 3 and 4, and the 17 or 18 rows that may be seeds: nobody chose a batch."""
    table = read_table(samples)
    odd = tmp_path / "odd.parquet"
    write_table(table.take(table.rows_of("train")[:35]), odd)
    groups = ["--rule", "same('patient')", "--set", "pairs.composition=groups"]
    for per_group, batch in ((2, 34), (3, 33), (4, 32)):
        found = cli("toy", "pairs", odd, *groups, "--set", f"pairs.per_group={per_group}", "--json")
        assert (found.code, found.json["batch_size"]) == (0, batch), found.err
    seeds = ["--rule", "same('patient') & same('kind')", "--set", "pairs.composition=partner"]
    for kind, batch in (("a", 18), ("b", 17)):
        found = cli("toy", "pairs", odd, *seeds, "--set", f"pairs.seeds={kind}", "--json")
        assert (found.code, found.json["batch_size"]) == (0, batch), found.err
    dry = ["--set", "train.epochs=1", "--dry-run", "--out", tmp_path / "run"]
    assert cli("toy", "pretrain", odd, *seeds, "--set", "pairs.seeds=b", "--set", "views.n=2", *dry).code == 0
    assert cli("toy", "pretrain", odd, *groups, *dry).code == 0


def test_a_batch_that_groups_do_not_divide_is_refused_with_one_that_fits(samples, cli):
    words = ["--rule", "same('patient')", "--set", "pairs.composition=groups"]
    done = cli("toy", "pairs", samples, *words, "--batch-size", "9")
    assert done.code == 2
    assert "--set train.batch_size=8" in done.err
    assert cli("toy", "pairs", samples, *words, "--set", "train.batch_size=8").code == 0


def test_a_label_that_looks_like_an_identifier_warns(samples, cli):
    """Each sample has a value of its own in ``alone``; ``kind`` has two values."""
    words = ["toy", "pairs", samples, "--rule", "same('patient')", "--label"]
    done = cli(*words, "alone")
    assert (done.code, "warning: label 'alone' looks like an identifier" in done.err) == (0, True)
    assert "looks like an identifier" not in cli(*words, "kind").err


@pytest.fixture
def rare(samples, tmp_path):
    """48 training rows of which two share a value of ``rare``; the others have none."""
    table = read_table(samples)
    frame = table.frame.drop("split").with_columns(rare=pl.Series(["x", "x", *[None] * 46]))
    write_table(replace(table, frame=frame), tmp_path / "rare.parquet")
    return tmp_path / "rare.parquet"


def test_what_equals_simclr_in_practice_is_refused_and_trained_with_anyway_only(rare, cli, tmp_path):
    words = ["--rule", "same('rare')", "--set", "pairs.composition=random", "--set", "train.batch_size=48"]
    refused = "95.8 % of all anchors have no positive of another sample"
    for command in ("pairs", "pretrain"):
        out = ("--out", tmp_path / "run") if command == "pretrain" else ()
        done = cli("toy", command, rare, *words, *out)
        assert (done.code, refused in done.err, "--anyway" in done.err) == (4, True, True), done.err
    assert not (tmp_path / "run" / "config.toml").exists()
    shown = cli("toy", "pairs", rare, *words, "--anyway")
    assert (shown.code, f"warning: {refused}" in shown.err) == (0, True), shown.err
    small = ["--set", "train.epochs=1", "--set", "head.hidden=16", "--set", "head.out=8"]
    trained = cli("toy", "pretrain", rare, *words, *small, "--out", tmp_path / "run", "--anyway")
    assert (trained.code, f"warning: {refused}" in trained.err) == (0, True), trained.err
    assert "anyway = true" in (tmp_path / "run" / "config.toml").read_text()
    # The option is recorded: neither resuming nor a repetition from the configuration needs it again.
    assert cli("toy", "pretrain", rare, "--out", tmp_path / "run", "--resume").code == 0
    again = ["--config", tmp_path / "run" / "config.toml", "--out", tmp_path / "again"]
    assert cli("toy", "pretrain", rare, *again).code == 0


def test_the_page_of_a_refused_rule_says_both_shares(rare, cli, tmp_path):
    page = tmp_path / "pairs.html"
    words = ["--rule", "same('rare')", "--label", "kind", "--html", page]
    assert cli("toy", "pairs", rare, *words).code == 4
    text = page.read_text(encoding="utf-8")
    assert "<b>Refused:</b>" in text
    assert "95.8 % of rows match no row of the table" in text
    assert "high agreement with the label does not tell a good rule from a bad one" in text


def test_groups_are_described_without_counts_of_nothing(samples, cli):
    shown = cli("toy", "pairs", samples, "--rule", "same('patient')").out
    assert "9, every row in one\n" in shown
    assert "rows in none" not in shown


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--rule", "same('pateint')"), "patient"),
        (("--rule", "sam('patient')"), "same"),
        (("--rule", "same('patient'"), "hint"),
        (("--rule", "same('patient') & 3"), "hint"),
        (("--rule", "within('kind', 2)"), "kind"),
        (("--rule", "0.5*same('kind') & same('patient')"), "hint"),
        (("--rule", "__import__('os').system('true')"), "hint"),
        (("--rule", "overlap('kind')"), "lists"),
        (("--rule", "linked('none.tsv')"), "none.tsv"),
        (("--pairs", "pateint"), "patient"),
        (("--pairs", "by(colum='kind')"), "column"),
        (("--pairs", "by(column=kind)"), "literal"),
        (("--pairs", "patient", "--rule", "same('kind')"), "exclude"),
        ((), "by(column='patient')"),
        (("--pairs", "patient", "--label", "knid"), "kind"),
        (("--pairs", "patient", "--batch-size", "1"), "batch_size"),
        (("--pairs", "patient", "--batch-size", "1000"), "batch_size"),
        (("--pairs", "patient", "--set", "pairs.composition=sorted"), "composition"),
        (("--pairs", "patient", "--set", "pairs.negatives=same('one')"), "pairs.seeds=a"),
        (("--pairs", "patient", "--set", "pairs.negatives=linked('none.tsv')"), "none.tsv"),
        (("--pairs", "patient", "--set", "pairs.bucket=size"), "size"),
        (("--pairs", "patient", "--set", "pairs.composition=partner", "--set", "pairs.seeds=c"), "kind 'c'"),
        (("--pairs", "patient", "--run", "somewhere"), "--html"),
        (("--pairs", "patient", "--html", "sheet.html", "--run", "somewhere"), "somewhere"),
        (("--pairs", "patient", "--html", "sheet.html", "--anchors", "0"), "anchors"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_usage_errors(samples, cli, words, told):
    done = cli("toy", "pairs", samples, *words)
    assert done.code == 2, done.err
    assert done.out == ""
    assert told in done.err
    assert len(done.err.splitlines()) <= 2


@pytest.mark.parametrize("command", ["pairs", "pretrain"])
@pytest.mark.parametrize(
    "rule",
    [
        pytest.param("same('alone')", id="a column that is all unique"),
        pytest.param("same('sample')", id="no positive of another sample"),
        pytest.param("same('patient') & ~same('patient')", id="never"),
        pytest.param("same('one')", id="a relation that matches all pairs"),
        pytest.param("same('patient') + same('one')", id="one of two relations matches all"),
    ],
)
def test_pairs_that_cannot_be_trained_on_are_refused(samples, cli, tmp_path, command, rule):
    out = ("--out", tmp_path / "run") if command == "pretrain" else ()
    done = cli("toy", command, samples, "--rule", rule, "--set", "train.batch_size=8", *out)
    assert done.code == 4, done.err
    assert "error: " in done.err
    assert "hint: " in done.err
    assert not (tmp_path / "run").exists()
    # Refused before anything was decoded.
    assert not (samples.parent / "samples.store").exists()


def test_a_refusal_still_gives_its_numbers_as_json(samples, cli):
    done = cli("toy", "pairs", samples, "--rule", "same('alone')", "--json")
    assert done.code == 4
    assert done.json


def test_advice_beside_the_numbers(samples, cli):
    words = ("--pairs", "patient", "--label", "kind", "--batch-size", "8")
    shown = cli("toy", "pairs", samples, *words)
    assert "8 ←" in shown.out
    assert "compose by" in shown.out or "Random batches" in shown.out
    advice = cli("toy", "pairs", samples, *words, "--json").json["advice"]
    assert [one["batch_size"] for one in advice["outlooks"] if one["planned"]] == [8]
    assert advice["text"] in shown.out
    assert cli("toy", "pairs", samples, "--rule", "none", "--json").json["advice"] is None


def test_the_page_is_written_before_anything_is_filled(samples, cli, tmp_path):
    words = ("--pairs", "patient", "--label", "kind", "--batch-size", "8", "--html", tmp_path / "new" / "sheet.html")
    done = cli("toy", "pairs", samples, *words, "--anchors", "4")
    assert done.code == 0, done.err
    assert f"page: {tmp_path / 'new' / 'sheet.html'}" in done.out
    page = (tmp_path / "new" / "sheet.html").read_text()
    assert page.count("<article") == 4
    assert page.count("<img ") > 20
    assert "same patient A" in page  # the group column names somebody
    assert not (samples.parent / "samples.store").exists()
    assert isinstance(cli("toy", "pairs", samples, *words, "--json").json, dict)


def test_a_refusal_still_writes_its_page(samples, cli, tmp_path):
    done = cli("toy", "pairs", samples, "--rule", "same('alone')", "--batch-size", "8", "--html", tmp_path / "no.html")
    assert done.code == 4
    assert "Refused:" in (tmp_path / "no.html").read_text()


def test_hard_negatives_by_a_run(samples, cli, tmp_path):
    words = ("--pairs", "patient", "--set", "train.batch_size=8")
    run = ("--out", tmp_path / "run", "--set", "train.epochs=0", "--set", "views.size=16", "--set", "train.device=cpu")
    done = cli("toy", "pretrain", samples, *words, *run)
    assert done.code == 0, done.err
    done = cli("toy", "pairs", samples, *words, "--html", tmp_path / "sheet.html", "--run", tmp_path / "run")
    assert done.code == 0, done.err
    assert "by the encoder&#39;s embedding" in (tmp_path / "sheet.html").read_text()


def test_tables_that_are_none_or_another_domains(samples, plugin, cli, tmp_path):
    assert cli("toy", "pairs", tmp_path / "none.parquet", "--pairs", "patient").code == 2
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    assert cli("toy", "pairs", tmp_path / "bad.parquet", "--pairs", "patient").code == 4
    done = cli("fisheye", "pairs", samples, "--rule", "same('patient')")
    assert done.code == 2
    assert "scanned by toy" in done.err


def test_the_aspect_ratio_is_a_nuisance_where_the_canvas_is_padded(samples, cli, tmp_path):
    table = read_table(samples)
    wide = tmp_path / "wide.parquet"
    write_table(table.with_columns(width=[10.0 + row % 7 for row in range(len(table))]), wide)

    def columns(canvas):
        done = cli("toy", "pairs", wide, "--rule", "same('patient')", "--set", f"views.canvas={canvas}", "--json")
        assert done.code == 0, done.err
        return [one["column"] for relation in done.json["relations"] for one in relation["sharing"]]

    assert "aspect_ratio" in columns("fit")
    assert "aspect_ratio" not in columns("stretch")


@pytest.fixture
def odd(samples, tmp_path):
    """A table of 35 training rows: fewer than the default batch, and an odd count."""
    import polars as pl

    from ssl_domains.samples import read_table, write_table

    table = read_table(samples)
    rows = table.rows_of("train")[:35]
    path = tmp_path / "odd.parquet"
    write_table(table.take(rows).with_columns(nothing=pl.Series([None] * 35, dtype=pl.String)), path)
    return path


@pytest.mark.parametrize(
    ("sets", "batch"),
    [
        ((), 34),
        (("pairs.per_group=3",), 33),
        (("pairs.composition=groups", "pairs.per_group=4"), 32),
        (("pairs.composition=draw",), 34),
        (("pairs.composition=random",), 35),
        (("pairs.composition=partner",), 35),
        (("train.batch_size=24",), 24),
    ],
)
def test_the_default_batch_fits_the_composition(odd, cli, sets, batch):
    words = [word for one in sets for word in ("--set", one)]
    done = cli("toy", "pairs", odd, "--rule", "same('patient')", "--json", *words)
    assert done.code == 0, done.err
    assert done.json["batch_size"] == batch


def test_a_given_batch_that_does_not_fit_is_an_error(odd, cli):
    words = ("--set", "pairs.composition=groups", "--batch-size", "35")
    done = cli("toy", "pairs", odd, "--rule", "same('patient')", *words)
    assert done.code == 2
    assert "per_group 2 does not divide a batch of 35" in done.err


def test_a_label_that_is_missing_throughout_is_said_so(odd, cli):
    words = ("pairs", odd, "--rule", "same('patient')", "--label", "nothing")
    done = cli("toy", *words)
    assert done.code == 0, done.err
    assert "unknown: label 'nothing' is missing throughout" in done.out
    assert "0.0 % of negatives" not in done.out
    assert "label 'nothing' is missing throughout" in done.err
    document = cli("toy", *words, "--json").json
    assert document["label_missing"] is True
    assert document["false_negatives"] is None
    assert all(one["false_negatives"] is None for one in document["advice"]["outlooks"])


def test_a_rule_of_a_plugin_is_named_in_text(odd, cli):
    import prefix_rule
    from ssl_domains.samples import read_table

    words = ("toy", "pairs", odd, "--rule", "prefix('patient', 2)", "--json")
    assert "there is no function 'prefix'" in cli(*words).err
    done = cli("--plugin-file", prefix_rule.__file__, *words)
    assert done.code == 0, done.err
    relation = done.json["relations"][0]
    assert relation["text"] == "prefix('patient', 2)"
    assert relation["groups"]["groups"] == len({patient[:2] for patient in read_table(odd).frame["patient"]})
    html = odd.with_suffix(".html")
    assert cli("--plugin-file", prefix_rule.__file__, *words, "--html", html).code == 0
    assert "the same first 2 characters of patient" in html.read_text()


def test_a_column_that_only_an_option_gives_is_named_with_the_option(samples, cli):
    done = cli("toy", "pairs", samples, "--rule", "same('shade')")
    assert done.code == 2
    assert done.err.splitlines() == [
        "error: the sample table has no column 'shade'",
        "hint: scan with --dark",
    ]
