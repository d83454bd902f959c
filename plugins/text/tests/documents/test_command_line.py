"""The real commands on a small collection, from scan to a trained run that is searched."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ssl_domains.cli.app import run

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Command:
    def command(*words: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = run(["text", *map(str, words)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return command


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    """24 documents in pairs that say the same, and a query for every second one."""
    folder = tmp_path / "in"
    folder.mkdir()
    with (folder / "corpus.jsonl").open("w") as corpus, (folder / "queries.jsonl").open("w") as queries:
        for number in range(12):
            text = " ".join(f"w{number}x{place}" for place in range(12))
            corpus.write(json.dumps({"_id": f"a{number}", "text": text}) + "\n")
            corpus.write(json.dumps({"_id": f"b{number}", "text": f"{text} again"}) + "\n")
            queries.write(json.dumps({"_id": f"q{number}", "text": f"w{number}x0 w{number}x1"}) + "\n")
            queries.write(json.dumps({"_id": f"r{number}", "text": f"w{number}x2 w{number}x3"}) + "\n")
    judged = [f"q{number}\ta{number}\t1\nr{number}\tb{number}\t1" for number in range(12)]
    (folder / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + "\n".join(judged) + "\n")
    return folder


def test_from_scan_to_search(command: Command, collection: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples.parquet"
    code, out, err = command("scan", collection, "-o", samples)
    assert (code, "24 documents of 12 words" in out) == (0, True), err
    rule = f"relevance(file='{tmp_path / 'samples.relevance.parquet'}')"
    page = tmp_path / "page.html"
    words = ("pairs", samples, "--pairs", rule, "--batch-size", "24", "--false-negatives", "2", "--html", page)
    code, out, err = command(*words)
    assert code == 0, err
    assert "100% of the queries have such a negative in their batch:" in out
    assert out.count("near copy") == 2
    assert "near copy" in page.read_text(encoding="utf-8")
    code, out, err = command(*words[:-2], "--json")
    assert code == 0, err
    assert json.loads(out)["touched"] == json.loads(out)["anchors"] == 20 * 24

    code, out, err = command("link-duplicates", samples)
    assert (code, "24 links of 24 queries" in out) == (0, True), err
    links, before = tmp_path / "samples.links.parquet", samples.read_bytes()
    code, out, err = command("link-duplicates", samples, "--out", samples)
    assert (code, "is read here, and would be replaced" in err) == (2, True), err
    assert samples.read_bytes() == before
    ignoring = f"{rule[:-1]}, links='{links}', negatives='linked(\"mined\")')"
    code, out, err = command("pairs", samples, "--pairs", ignoring, "--batch-size", "24", "--false-negatives", "2")
    assert (code, "0 of " in out) == (0, True), err

    trained = tmp_path / "run"
    code, out, err = command(
        "pretrain", samples, "--out", trained, "--method", "ance", "--pairs", ignoring, "--set", "views.n=3",
        "--set", "train.batch_size=12", "--set", "train.max_steps=6", "--set", "pairs.epoch_steps=2",
        "--set", "input.vocabulary=300", "--set", "method.top=5",
    )  # fmt: skip
    assert code == 0, err
    code, out, err = command("index", samples, "--run", trained)
    assert (code, "vectors: 24 of 64 numbers" in out) == (0, True), err
    code, out, err = command("search", trained, "w3x0 w3x5", "-k", "2")
    assert code == 0, err
    assert {line.split()[2] for line in out.strip().splitlines()} == {"a3", "b3"}
    hits = tmp_path / "hits.trec"
    code, out, err = command("search", trained, "--queries", samples, "--by", "vectors", "-k", "24", "-o", hits)
    assert (code, "576 hits of 24 of 24 queries" in out) == (0, True), err
    code, out, err = command("score", hits, samples, "--json")
    assert code == 0, err
    assert json.loads(out)["queries"] == 24
    for by in ("words", "vectors", "both"):
        code, out, err = command("search", trained, " ", "--by", by)
        assert (code, out) == (0, "no hit: the query is empty\n"), err

    # Trained again, the encoder is another one, and the vectors of the index are none of its.
    found = ("search", trained, "w3x0 w3x5", "--by", "vectors")
    kept = trained.with_name("kept")
    (trained / "index").rename(kept)
    shutil.rmtree(trained)
    again = ("pretrain", samples, "--out", trained, "--method", "ance", "--pairs", rule, "--set", "method.top=0")
    small = ("--set", "train.batch_size=12", "--set", "train.max_steps=1", "--set", "input.vocabulary=300")
    code, _, err = command(*again, *small)
    assert code == 0, err
    kept.rename(trained / "index")
    for words in (found, ("search", trained, "w3x0"), ("search", trained, "--queries", samples, "-o", hits)):
        code, out, err = command(*words)
        assert (code, "'run' has other weights than those that made the vectors" in err) == (4, True)
        assert f"hint: make it again: ssl-domains text index SAMPLES --run {trained}" in err
    assert command("mine", samples, trained)[0] == 4
    assert command("search", trained, "w3x0", "--by", "words")[0] == 0
    assert command("index", samples, "--run", trained)[0] == 0
    assert command(*found)[0] == 0


def test_lists_are_saved_with_a_large_index(
    command: Command, collection: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples, trained = tmp_path / "samples.parquet", tmp_path / "run"
    command("scan", collection, "-o", samples)
    rule = f"relevance(file='{tmp_path / 'samples.relevance.parquet'}')"
    code, _, err = command(
        "pretrain", samples, "--out", trained, "--method", "ance", "--pairs", rule, "--set", "method.top=0",
        "--set", "train.batch_size=12", "--set", "train.max_steps=2", "--set", "input.vocabulary=300",
    )  # fmt: skip
    assert code == 0, err
    code, out, err = command("index", samples, "--run", trained)
    assert (code, "IVF" in out) == (0, False), err
    query = ("search", trained, "w3x0 w3x5", "--by", "vectors", "-k", "24")
    _, exact, _ = command(*query)
    monkeypatch.setattr("ssl_domains_text.documents.search.folder.EXACT_BELOW", 10)
    code, out, err = command("index", samples, "--run", trained)
    assert (code, "vectors in 1 list (IVF)" in out, "recall@10 1.000" in out) == (0, True, True), err
    monkeypatch.setattr("ssl_domains_text.documents.search.folder.ListIndex.__init__", None)  # it is not built again
    code, listed, err = command(*query)
    assert (code, listed) == (0, exact), err
    (trained / "index" / "lists.faiss").write_bytes(b"damaged")
    code, _, err = command(*query)
    assert (code, "lists.faiss holds no index" in err) == (4, True)


def test_mistakes_are_one_line_with_a_hint(command: Command, collection: Path, tmp_path: Path) -> None:
    samples = tmp_path / "samples.parquet"
    command("scan", collection, "-o", samples)
    code, _, err = command("scan", collection, "-o", samples, "--encoding", "latin-7")
    assert (code, err.splitlines()[0]) == (2, "error: unknown encoding 'latin-7'")
    code, _, err = command("index", samples, "-o", tmp_path / "index", "--language", "klingon")
    assert (code, "no stemmer for 'klingon'" in err) == (2, True)
    code, _, err = command("search", tmp_path / "nothing", "words")
    assert (code, "there is no index" in err, "hint: " in err) == (2, True, True)
    (collection / "qrels.tsv").write_text("q1\tgone\t1\n")
    code, _, err = command("scan", collection, "-o", tmp_path / "other.parquet")
    assert (code, "none of the 1 relevant documents is in the collection" in err) == (4, True)
    (tmp_path / "bad.trec").write_text("q1 Q0 a1 1\n")
    code, _, err = command("score", tmp_path / "bad.trec", samples)
    assert (code, "bad.trec, line 1: 4 fields" in err) == (4, True)


def test_texts_that_are_gone_are_an_error_of_the_table(command: Command, collection: Path, tmp_path: Path) -> None:
    samples, index = tmp_path / "t/samples.parquet", tmp_path / "t/index"
    samples.parent.mkdir()
    assert command("scan", collection, "-o", samples)[0] == 0
    assert command("index", samples, "-o", index)[0] == 0
    assert command("scan", collection, "-o", samples)[0] == 0  # its texts are copied anew
    hits = tmp_path / "hits.trec"
    for words in (
        ("search", index, "w3x0"),
        ("search", index, "--queries", samples, "-o", hits),
        ("mine", samples, index),
    ):
        code, _, err = command(*words)
        assert (code, "the texts of the index 'index' are gone: 1.txt is not there" in err) == (4, True), err
        assert "hint: the table was scanned anew or moved: make the index again with text index" in err
    assert command("index", samples, "-o", index)[0] == 0
    assert command("search", index, "w3x0")[0] == 0

    hits.write_text("q1 Q0 a1 1 1 x\n")
    shutil.copytree(samples.parent, tmp_path / "copy")
    shutil.rmtree(tmp_path / "copy/samples.texts")
    copied = tmp_path / "copy/samples.parquet"
    for words in (
        ("link-duplicates", copied), ("cluster-queries", copied, "--folds", "2"),
        ("index", copied, "-o", tmp_path / "i"), ("words", copied, "-o", tmp_path / "w", "--set", "method.min_count=1"),
        ("search", index, "--queries", copied, "-o", hits), ("mine", copied, index),
    ):  # fmt: skip
        code, _, err = command(*words)
        assert (code, "can't be read: " in err, "without its folder .texts" in err) == (4, True, True), (words, err)
    (collection / "corpus.jsonl").unlink()
    code, _, err = command("search", index, "w3x0")
    assert (code, "corpus.jsonl is not there" in err) == (4, True), err


def test_codes_of_mistakes_and_of_damaged_files(command: Command, collection: Path, tmp_path: Path) -> None:
    samples, index, hits = tmp_path / "samples.parquet", tmp_path / "index", tmp_path / "hits.trec"
    command("scan", collection, "-o", samples)
    assert command("index", samples, "-o", index)[0] == 0
    hits.write_text("q1 Q0 a1 1 1 x\n")
    once, twice = command("score", hits, samples, "--at", "10"), command("score", hits, samples, "--at", "10,10")
    assert (once[0], twice) == (0, once)
    file = tmp_path / "afile"
    file.write_text("x")
    none = tmp_path / "none.parquet"
    for words, said in (
        (("score", hits, samples, "--at", "0"), "--at '0'"),
        (("score", hits, samples, "--at", "5,-1"), "values of k from 1 on"),
        *((("score", hits, samples, "--relevant-from", value), "--relevant-from") for value in ("0", "-1", "nan")),
        (("index", samples, "-o", file), "is a file, not a folder"),
        (("index", samples, "-o", file / "sub"), "is a file"),
        (("mine", samples, index, "--links", samples), "no table of links"),
        (("mine", samples, index, "--links", none), "there is no table"),
    ):  # fmt: skip
        code, _, err = command(*words)
        assert (code, said in err, "hint: " in err) == (2, True, True), (words, err)
    assert file.read_text() == "x"

    (collection / "qrels.tsv").rename(collection / "qrels.test.tsv")
    other = tmp_path / "other.parquet"
    assert command("scan", collection, "-o", other)[0] == 0
    code, _, err = command("mine", other, index)
    assert (code, "the table has no query on the side 'train'" in err) == (2, True), err
    assert "--split" not in err

    rule = ("--pairs", f"relevance(file='{tmp_path / 'samples.relevance.parquet'}')")
    for name, words in (
        ("samples.relevance.parquet", ("score", hits, samples)),
        ("samples.relevance.parquet", ("link-duplicates", samples)),
        ("samples.relevance.parquet", ("mine", samples, index)),
        ("samples.relevance.parquet", ("search", index, "--queries", samples, "-o", hits)),
        ("samples.duplicates.parquet", ("link-duplicates", samples)),
        ("samples.duplicates.parquet", ("pairs", samples, *rule, "--batch-size", "4", "--false-negatives", "2")),
    ):  # fmt: skip
        path = tmp_path / name
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(b"garbage")
        code, _, err = command(*words)
        assert (code, name in err) == (4, True), (words, err)
        path.unlink() if before is None else path.write_bytes(before)
    for path, content in ((index / "words/analysis.json", '{"analysis": {"foo": 1}, "unindexed": 0, "empty": false}'),
                          (index / "words/analysis.json", "[]"), (index / "index.json", "[]"),
                          (index / "index.json", '"x"'), (index / "index.json", '{"run": 3}')):  # fmt: skip
        whole = path.read_text()
        path.write_text(content)
        code, _, err = command("search", index, "w3x0")
        assert (code, "make it again: text index" in err) == (4, True), (content, err)
        path.write_text(whole)
