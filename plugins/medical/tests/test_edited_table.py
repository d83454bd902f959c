"""The demonstration's table is edited by polars, copied, and joined: group, identifiers and split survive."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from ssl_domains.cli.app import run
from ssl_domains.samples import read_table, sidecar_path
from ssl_domains_medical.demo.write import write_demo_data


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("demo")
    write_demo_data(out, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
        words = ["medical", "scan", out / "images", "-o", out / "samples.parquet", "--split-by", "patient"]
        assert run([str(word) for word in words]) == 0
    return out


@pytest.mark.parametrize("with_sidecar", [True, False])
def test_an_edited_copy_is_joined(
    scanned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    with_sidecar: bool,
) -> None:  # fmt: skip
    monkeypatch.setenv("SSL_DOMAINS_HASH_KEY", "a key for tests")
    source, copy = scanned / "samples.parquet", tmp_path / "copy.parquet"
    before = read_table(source)
    pl.read_parquet(source).with_columns(mine=pl.lit("label")).write_parquet(copy)
    if with_sidecar:
        shutil.copy(sidecar_path(source), sidecar_path(copy))
    join = ["tables", "join", str(copy), str(scanned / "clinical.csv"), "--on", "series"]
    if not with_sidecar:
        # Without its metadata the table doesn't say that `series` is hashed: nothing matches, and both are said.
        assert run(join) == 4
        said = capsys.readouterr().err
        assert "no row of the samples matches" in said
        assert "copy.parquet has no metadata" in said
        assert "hint: the table has no metadata, so ids in it may be hashes" in said
        assert "--like" in said
    assert run([*join, "--like", str(source)]) == 0
    capsys.readouterr()
    after = read_table(copy)
    assert after.meta == before.meta
    assert after.meta.group == "patient"
    assert "patient" in after.meta.identifiers
    for column in ("split", "patient", "path"):
        assert after.frame[column].equals(before.frame[column]), column
    assert "mine" in after.columns
    labels = pl.read_csv(scanned / "clinical.csv")
    added = next(name for name in labels.columns if name != "series")
    assert after.frame[added].null_count() < len(after)
    assert run(["splits", "audit", str(copy), "--split", "split", "--group", "patient", "--no-contents"]) == 0
