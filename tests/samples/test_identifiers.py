from pathlib import Path

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.samples import IdentifierKey, TableMeta, outdated_note


def test_equal_stays_equal_and_keys_differ() -> None:
    one, two = IdentifierKey(b"one"), IdentifierKey(b"two")
    assert one.digest("Doe") == one.digest("Doe") != two.digest("Doe")
    assert "Doe" not in one.digest("Doe")
    assert "one" not in repr(one)


def test_key_file_is_made_once_and_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSL_DOMAINS_HASH_KEY", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    first = IdentifierKey.load()
    path = tmp_path / "ssl-domains" / "hash.key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert IdentifierKey.load() == first
    path.chmod(0o644)
    with pytest.raises(UsageError, match="read by others"):
        IdentifierKey.load()


def test_the_variable_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("SSL_DOMAINS_HASH_KEY", "secret")
    assert IdentifierKey.load() == IdentifierKey(b"secret")
    assert not list(tmp_path.iterdir())


def test_a_table_that_names_no_key_is_of_an_earlier_scan() -> None:
    assert "scan again" in outdated_note(TableMeta("medical", ("patient",)))
    assert outdated_note(TableMeta("medical", ("patient",), key="1f2e3d4c")) == ""
    assert outdated_note(TableMeta("fisheye")) == ""
    assert outdated_note(TableMeta()) == ""
