"""Checkpoints: whole or absent, the last few kept, unreadable ones named with the next older."""

from __future__ import annotations

import errno
import os
import pickle
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from ssl_domains.engine.record.checkpoint import Checkpoints, refuse_other_config
from ssl_domains.engine.record.config_file import load_config
from ssl_domains.errors import DataError, ResourceError, UsageError


def _state(value: float = 1.0, size: int = 3) -> dict[str, object]:
    return {"method": {"w": torch.full((size,), value)}, "config": "{}"}


def test_what_is_saved_is_loaded_and_the_newest_comes_first(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c", keep=3)
    for step in (0, 50, 9):
        checkpoints.save(step, _state(step))
    loaded = checkpoints.load()
    assert loaded["step"] == 50
    assert torch.equal(loaded["method"]["w"], torch.full((3,), 50.0))
    assert [path.name for path in checkpoints.paths()] == ["step-00000000.pt", "step-00000009.pt", "step-00000050.pt"]


def test_only_the_last_few_are_kept(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in range(5):
        checkpoints.save(step, _state())
    assert [path.name for path in checkpoints.paths()] == ["step-00000003.pt", "step-00000004.pt"]
    assert len(list(tmp_path.iterdir())) == 2
    assert checkpoints.load()["step"] == 4


def test_what_was_still_being_written_is_no_checkpoint_and_is_cleaned(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(3, _state())
    left = tmp_path / ".writing-step-00000004.pt"
    left.write_bytes(b"half")
    assert checkpoints.load()["step"] == 3
    checkpoints.clean()
    assert not left.exists()
    assert len(checkpoints.paths()) == 1


def _truncate(path: Path) -> None:
    with open(path, "r+b") as file:
        file.truncate(path.stat().st_size // 2)


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _garble(path: Path) -> None:
    path.write_bytes(b"not a checkpoint at all" * 50)


def _other_file(path: Path) -> None:
    torch.save({"something": "else"}, path)


@pytest.mark.parametrize("spoil", [_truncate, _empty, _garble, _other_file])
def test_an_unreadable_one_is_a_data_error_that_names_the_next_older(tmp_path: Path, spoil) -> None:  # type: ignore[no-untyped-def]
    checkpoints = Checkpoints(tmp_path, keep=3)
    for step in (1, 2, 3):
        checkpoints.save(step, _state())
    spoil(checkpoints.paths()[-1])
    with pytest.raises(DataError, match=r"step-00000003\.pt can't be read") as caught:
        checkpoints.load()
    assert caught.value.exit_code == 4
    assert "step-00000002.pt" in caught.value.hint
    assert "\n" not in caught.value.message + caught.value.hint


def test_an_unreadable_only_one_says_that_there_is_no_older(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    _garble(checkpoints.save(1, _state()))
    with pytest.raises(DataError) as caught:
        checkpoints.load()
    assert "no older" in caught.value.hint


class _Harmful:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (os.mkdir, (str(self.path),))


def test_a_checkpoint_that_would_run_code_is_refused(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path / "c")
    checkpoints.folder.mkdir()
    torch.save({"format": 1, "step": 1, "x": _Harmful(tmp_path / "made")}, checkpoints.folder / "step-00000001.pt")
    with pytest.raises(DataError):
        checkpoints.load()
    (checkpoints.folder / "step-00000001.pt").write_bytes(pickle.dumps(_Harmful(tmp_path / "made"), protocol=2))
    with pytest.raises(DataError):
        checkpoints.load()
    assert not (tmp_path / "made").exists()


def test_no_checkpoint_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no checkpoint"):
        Checkpoints(tmp_path / "nowhere").load()


@contextmanager
def _files_no_larger_than(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_write_that_fails_leaves_the_older_one_and_nothing_else(tmp_path: Path) -> None:
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, _state())
    # A limit on the size of files fails a write half-way, as a full disk does.
    with _files_no_larger_than(100_000), pytest.raises(ResourceError) as caught:
        checkpoints.save(2, _state(size=100_000))
    assert caught.value.exit_code == 5
    assert "step-00000001.pt" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001.pt"]
    assert checkpoints.load()["step"] == 1


def test_a_full_disk_at_the_rename_is_a_resource_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("ssl_domains.samples.writing.whole.os.replace", no_space)
    with pytest.raises(ResourceError, match=r"the disk is full: the checkpoint step-00000001\.pt can't be written"):
        Checkpoints(tmp_path).save(1, _state())
    assert list(tmp_path.iterdir()) == []


def test_another_config_names_the_key_and_both_values() -> None:
    saved = load_config(sets=["train.lr=0.1"]).model_dump_json()
    with pytest.raises(UsageError, match=r"train\.lr = 0\.1, not 0\.2") as caught:
        refuse_other_config(saved, load_config(sets=["train.lr=0.2"]))
    assert caught.value.exit_code == 2
    assert "--set train.lr=0.1" in caught.value.hint


def test_what_does_not_change_the_result_may_differ() -> None:
    saved = load_config(sets=["data.workers=0"]).model_dump_json()
    refuse_other_config(saved, load_config(sets=["data.workers=2", "train.keep=5", "data.samples='elsewhere.parquet'"]))
