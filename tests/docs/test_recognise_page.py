"""The page on recognisers: its code runs, its notes are what is printed, its study is a study."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import numpy as np

from ssl_domains.probes.transcripts import Alphabet, Transcripts, label_problems
from ssl_domains.studies import StudyFile

Blocks = Callable[[str, str], list[str]]
PAGE = "docs/how-to/recognise-text.md"


def test_its_code_runs(blocks: Blocks) -> None:
    (code,) = blocks(PAGE, "python")
    exec(code, {})  # it asserts its own results


def test_its_notes_are_those_of_the_labels_that_it_speaks_of(blocks: Blocks) -> None:
    (text,) = blocks(PAGE, "text")
    shown = " ".join(text.split())
    texts, names = ["abcd", "aaaaaaaa", "book", "abcdefghij"], [f"line-{number}" for number in range(4)]
    found = label_problems(Transcripts.of(texts), np.array([24, 10, 16, 8]), names, "training row")
    outside = label_problems(
        Transcripts.of(["é a"], alphabet=Alphabet.given("ab ")), np.array([9]), ["x"], "training row"
    )
    assert len(found.notes) == len(outside.notes) == 1
    for note in (*found.notes, *outside.notes):
        assert f"note: left out: {note}" in shown


def test_its_study_is_one(blocks: Blocks) -> None:
    (text,) = blocks(PAGE, "toml")
    values = tomllib.loads(text)
    study = StudyFile.model_validate(
        {
            "name": "lines", "title": "Lines", "about": "", "samples": "samples.parquet", "fractions": [0.25, 1.0],
            "arms": {"window": {"method": "seqclr"}}, **values,
        }
    )  # fmt: skip
    assert study.transcripts.steps == 1000
    assert study.primary.probe == "transcripts"
