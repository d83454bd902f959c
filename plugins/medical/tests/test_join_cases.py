"""Clinical tables of the field whose ids are written differently from those in the files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ssl_domains.cli.app import run
from ssl_domains.samples import read_table

CASES = Path(os.environ.get("SSL_DOMAINS_SHARED_DATA", "")).parent / "cases" / "medical" / "c26_join_unpadded_some"


@pytest.mark.shared_data
@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not beside the shared data (SSL_DOMAINS_SHARED_DATA)")
@pytest.mark.parametrize("name", ["clin.csv", "clin_float.csv"])
def test_ids_with_and_without_zeros_are_joined(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
    out = tmp_path / "samples.parquet"
    words = ["medical", "scan", CASES / "img", "-o", out, "--join", CASES / name, "--on", "patient_id"]
    assert run([str(word) for word in words]) == 0
    frame = read_table(out).frame
    ages = frame.group_by("patient_id").first()["age"].sort().to_list()
    assert ages == [40, 41, 42, 43, 44, 45]
