"""``scan``: what was found, why files were left, and what the table keeps."""

from __future__ import annotations

import polars as pl
import pytest

from ssl_domains.samples import read_table


def test_a_scan_ends_with_what_was_found_and_why_files_were_left(toy, cli, tmp_path):
    cli("toy", "demo-data", tmp_path / "data")
    done = cli("toy", "scan", tmp_path / "data", "-o", tmp_path / "samples.parquet")
    assert done.code == 0
    assert "48 samples" in done.out
    assert "left out: 1" in done.out
    assert "no toy" in done.out
    assert "note: toys are counted" in done.out
    problems = pl.read_csv(tmp_path / "samples.problems.csv")
    assert problems["path"].to_list() == [str(tmp_path / "data" / "900.npy")]
    table = read_table(tmp_path / "samples.parquet")
    assert len(table) == 48
    assert table.meta.domain == "toy"


def test_demo_data_is_the_same_for_the_same_seed_and_names_the_next_command(toy, cli, tmp_path):
    first = cli("toy", "demo-data", tmp_path / "a", "--seed", "3")
    assert "ssl-domains toy scan" in first.out
    cli("toy", "demo-data", tmp_path / "b", "--seed", "3")
    cli("toy", "demo-data", tmp_path / "c", "--seed", "4")
    names = ("a", "b", "c")
    same, again, other = ((tmp_path / name / "000.npy").read_bytes() for name in names)
    assert same == again != other


def test_a_split_keeps_groups_whole_and_is_recorded(samples):
    table = read_table(samples)
    parts = table.frame.group_by("patient").agg(pl.col("split").n_unique())["split"]
    assert parts.to_list() == [1] * 12
    assert table.frame.filter(pl.col("split") == "test")["patient"].n_unique() == 3
    assert table.meta.options["split_by"] == "patient"


def test_the_domains_own_options_reach_its_reader(toy, cli, tmp_path):
    cli("toy", "demo-data", tmp_path / "data")
    out = tmp_path / "samples.parquet"
    assert "--dark" in cli("toy", "scan", "--help").out
    assert cli("toy", "scan", tmp_path / "data", "-o", out, "--dark", "--shift", "100").code == 0
    table = read_table(out)
    assert table.frame["dark"].all()
    assert table.frame["height"].min() == 100.0
    assert table.meta.options["shift"] == 100
    assert cli("toy", "scan", tmp_path / "data", "-o", out).code == 0
    assert not read_table(out).frame["dark"].any()
    assert cli("toy", "scan", tmp_path / "data", "-o", out, "--shift", "much").code == 2
    assert cli("toy", "scan", tmp_path / "data", "-o", out, "--masks", "x").code == 2


def test_an_option_that_may_be_repeated_reaches_the_reader_as_a_list(toy, cli, tmp_path):
    cli("toy", "demo-data", tmp_path / "data")
    out = tmp_path / "samples.parquet"
    assert cli("toy", "scan", tmp_path / "data", "-o", out, "--tag", "a", "--tag", "b=c").code == 0
    assert read_table(out).meta.options["tag"] == ["a", "b=c"]
    assert cli("toy", "scan", tmp_path / "data", "-o", out).code == 0
    assert "tag" not in read_table(out).meta.options


def test_a_table_moves_with_its_files(toy, cli, tmp_path):
    cli("toy", "demo-data", tmp_path / "here" / "data")
    cli("toy", "scan", tmp_path / "here" / "data", "-o", tmp_path / "here" / "samples.parquet")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = read_table(tmp_path / "there" / "samples.parquet")
    assert moved.frame["path"][0] == str(tmp_path / "there" / "data" / "000.npy")


def test_columns_are_joined_by_name(toy, cli, tmp_path):
    cli("toy", "demo-data", tmp_path / "data")
    labels = tmp_path / "labels.csv"
    labels.write_text("grade,patient\nhigh,p0\nlow,p1\n")
    out = tmp_path / "samples.csv"
    done = cli("toy", "scan", tmp_path / "data", "-o", out, "--join", labels, "--on", "patient")
    assert done.code == 0, done.err
    table = read_table(out)
    assert table.frame.filter(pl.col("patient") == "p1")["grade"].unique().to_list() == ["low"]
    assert table.frame["grade"].null_count() == 40

    for words in (("--join", labels), ("--on", "patient"), ("--join", labels, "--on", "patien")):
        assert cli("toy", "scan", tmp_path / "data", "-o", out, *words).code == 2


@pytest.mark.parametrize("suffix", ["csv", "parquet", "xlsx"])
def test_a_table_with_a_path_column_is_a_source(toy, cli, tmp_path, suffix):
    cli("toy", "demo-data", tmp_path / "data")
    source = tmp_path / f"list.{suffix}"
    frame = pl.DataFrame(
        {"path": ["data/000.npy", "data/001.npy", "data/none.npy", None], "mood": ["a", "b", "c", "d"]}
    )
    {"csv": frame.write_csv, "parquet": frame.write_parquet, "xlsx": frame.write_excel}[suffix](source)
    done = cli("toy", "scan", source, "-o", tmp_path / "samples.parquet")
    assert done.code == 0, done.err
    table = read_table(tmp_path / "samples.parquet")
    assert table.frame["mood"].to_list() == ["a", "b"]
    assert table.frame["path"][0] == str(tmp_path / "data" / "000.npy")
    assert pl.read_csv(tmp_path / "samples.problems.csv")["cause"].to_list() == ["no such file", "the row has no path"]


def test_a_table_without_a_path_column_is_a_usage_error(toy, cli, tmp_path):
    (tmp_path / "list.csv").write_text("paths,mood\na.npy,b\n")
    done = cli("toy", "scan", tmp_path / "list.csv", "-o", tmp_path / "samples.parquet")
    assert done.code == 2
    assert "'path'" in done.err


def test_an_empty_folder_is_bad_data(toy, cli, tmp_path):
    (tmp_path / "empty").mkdir()
    done = cli("toy", "scan", tmp_path / "empty", "-o", tmp_path / "samples.parquet")
    assert done.code == 4
    assert "holds nothing that toy reads" in done.err
    assert done.err.splitlines()[1] == "hint: toy reads toys (.npy); toys are counted", "with the notes of the scan"
    assert not (tmp_path / "samples.parquet").exists()


def test_a_truncated_only_file_is_bad_data_and_its_cause_is_kept(toy, cli, tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "001.npy").write_bytes(b"\x93NUMPY")
    done = cli("toy", "scan", tmp_path / "data", "-o", tmp_path / "samples.parquet")
    assert done.code == 4
    assert "no toy" in done.err
    assert "samples.problems.csv" in done.err
    assert len(pl.read_csv(tmp_path / "samples.problems.csv")) == 1


def test_usage_errors(toy, cli, tmp_path):
    cli("toy", "demo-data", tmp_path / "data")
    data, out = tmp_path / "data", tmp_path / "samples.parquet"
    assert cli("toy", "scan", tmp_path / "nowhere", "-o", out).code == 2
    assert cli("toy", "scan", data).code == 2
    assert cli("toy", "scan", data, "-o", tmp_path / "samples.json").code == 2
    missing = cli("toy", "scan", data, "-o", out, "--split-by", "pateint")
    assert (missing.code, "patient" in missing.err) == (2, True)
    assert cli("toy", "scan", data, "-o", out, "--split-by", "patient", "--test", "2").code == 2
    assert cli("toy", "scan", data, "-o", out, "--split-by", "one").code == 4


def test_a_reader_that_fails_is_named_with_the_place_of_the_error(cli, tmp_path):
    file = tmp_path / "failing.py"
    file.write_text(
        "from ssl_domains.extending import Domain\n"
        "class Reader:\n"
        "    version = '1'\n"
        "    def scan(self, source, **options): raise KeyError('file')\n"
        "    def load(self, row): raise NotImplementedError\n"
        "def ssl_domains_domains():\n"
        "    return [Domain('failing', 'fails', reader=Reader, recipe=object, scaling=object)]\n"
    )
    done = cli("--plugin-file", file, "failing", "scan", tmp_path, "-o", tmp_path / "samples.parquet")
    assert done.code == 3
    assert f"the reader of failing can't scan '{tmp_path}': KeyError: 'file' (line 4 of {file})" in done.err
    assert "Traceback" not in done.err
