"""Hints of the commands after a scan: a shell and the parser of rules read them as they stand, whatever the path."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from ssl_domains.pairs import parse
from ssl_domains_text.documents.commands import link_duplicates, make_index
from ssl_domains_text.documents.mine_command import mine

from ..scanned import scan


@pytest.mark.parametrize("folder", ["plain", "Ann's texts"])
def test_links_and_negatives(tmp_path: Path, folder: str) -> None:
    sources = {"corpus": {"1": "one text", "2": "two texts"}, "queries": {"q": "one text or two texts"}}
    for name, found in sources.items():
        lines = [json.dumps({"_id": one, "text": text}) + "\n" for one, text in found.items()]
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    (tmp_path / "in/qrels.tsv").write_text("q 0 1 1\n", encoding="utf-8")
    out = tmp_path / folder
    table = scan(tmp_path / "in", out).path
    *_, links = link_duplicates(table, None, None)
    assert shlex.split(links)[:3] == [
        "next:",
        "--pairs",
        f"relevance(file={str(out / 'samples.relevance.parquet')!r}, links={str(out / 'samples.links.parquet')!r})",
    ]
    list(make_index(table, tmp_path / "index", None, "english", True, True, 2))
    *_, mined = mine(table, tmp_path / "index", None, "words", 5, (), None)
    rule = f"linked({str(out / 'samples.mined.parquet')!r})"
    words = shlex.split(mined)
    assert f"pairs.negatives={rule}," in words
    assert words[-1] == f"pairs.warmup={rule}"
    assert str(out / "samples.mined.parquet") in repr(parse(rule))
