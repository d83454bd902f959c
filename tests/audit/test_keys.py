"""Hashed groups of two tables are compared only where one key made both."""

from __future__ import annotations

import pytest

from ssl_domains.audit import audit_split
from ssl_domains.samples import IdentifierKey, SampleTable, TableMeta

A, B = IdentifierKey(b"a"), IdentifierKey(b"b")


def table(key: IdentifierKey, names: str, recorded: str, start: int = 0) -> SampleTable:
    ids = [key.digest(name) for name in names]
    samples = [f"s{start + row}" for row in range(len(ids))]
    split = ["train" if row % 2 else "test" for row in range(len(ids))]
    meta = TableMeta("toy", ("patient",), key=recorded)
    return SampleTable.of({"sample": samples, "patient": ids, "split": split}, meta)


@pytest.mark.parametrize(
    ("key", "recorded", "said"),
    [(B, B.fingerprint, "different keys"), (B, "", "made by an earlier version and also depend on the scanned folder")],
)
def test_no_verdict_where_ids_cant_be_equal(key: IdentifierKey, recorded: str, said: str) -> None:
    audited = table(A, "vwxy", A.fingerprint)
    found = audit_split(audited, "split", ["patient"], pretraining=table(key, "vwxy", recorded, start=9))
    assert [finding.b for finding in found.findings if finding.check == "group"] == ["test"]
    assert said in " ".join(found.notes)
    assert "nothing is known of shared groups" in " ".join(found.notes)


def test_one_key_finds_the_shared_patients() -> None:
    audited = table(A, "vwxy", A.fingerprint)
    found = audit_split(audited, "split", ["patient"], pretraining=table(A, "vzzz", A.fingerprint, start=9))
    assert "1 of 2 groups of 'patient' in test are in pre-training" in found.leaks[0].sentence
    assert not [note for note in found.notes if "compared: " in note]


def test_equal_hashes_of_earlier_versions_still_leak() -> None:
    found = audit_split(table(A, "vwxy", ""), "split", ["patient"], pretraining=table(A, "vzzz", "", start=9))
    assert [leak.check for leak in found.leaks] == ["group"]
    assert "earlier version" in " ".join(found.notes)


def test_the_sides_of_one_table_are_compared_whatever_key_made_it() -> None:
    found = audit_split(table(A, "vwxy", ""), "split", ["patient"])
    assert [finding.leak for finding in found.findings if finding.check == "group"] == [False]
