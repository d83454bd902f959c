"""The reader: every form by the conformance kit, databases with faults, and worker processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from ssl_domains.errors import UsageError
from ssl_domains.samples import ReadError
from ssl_domains.stores import ArrayStore
from ssl_domains.testing import check_reader
from ssl_domains.views import InputDataset, whole_batch
from ssl_domains_text.lines.inputs import LinePreprocess
from ssl_domains_text.lines.reader import LinesReader

from .line_files import database, iam, lines_database, page_xml, picture, png, strip
from .test_iam import WORDS
from .test_pages import COORDS, equivalent, line, page_folder


def make_database(folder: Path) -> None:
    lines_database(folder / "lines", ["abc", "d e", None, "é"])


def make_iam(folder: Path) -> None:
    iam(folder, WORDS)


def make_pages(folder: Path) -> None:
    slanted = '<Coords points="10,30 70,26 72,44 12,47"/>'
    page_folder(folder, page_xml([line(COORDS + equivalent("a"), "l1"), line(slanted, "l2")], "p.png", (100, 50)))


def make_table(folder: Path) -> None:
    for number, suffix in enumerate((".png", ".jpg", ".tif")):
        picture(folder / f"{number}{suffix}", seed=number, channels=3 if number else 1)
    (folder / "labels.csv").write_text("file,label\n0.png,zero\n1.jpg,one\n")


def make_pictures(folder: Path) -> None:
    for number in range(3):
        picture(folder / "w" / f"{number}.png", seed=number)


FORMS: dict[str, Callable[[Path], None]] = {
    "lmdb": make_database,
    "iam": make_iam,
    "pages": make_pages,
    "table": make_table,
    "pictures": make_pictures,
}


@pytest.mark.parametrize("form", FORMS)
def test_the_reader(tmp_path: Path, form: str) -> None:
    FORMS[form](tmp_path)
    scanned = check_reader(LinesReader(), tmp_path)
    assert any("the source is read as" in note for note in scanned.notes)
    named = LinesReader().scan(tmp_path, format=form)
    assert named.samples.frame.equals(scanned.samples.frame)
    for other in set(FORMS) - {form, "pictures", "table"}:
        with pytest.raises(UsageError, match="nothing of the form"):
            LinesReader().scan(tmp_path, format=other)


def test_options_are_checked(tmp_path: Path) -> None:
    make_pictures(tmp_path)
    with pytest.raises(UsageError, match="no option 'alphabets'"):
        LinesReader().scan(tmp_path, alphabets="abc")
    with pytest.raises(UsageError, match="--format lmbd"):
        LinesReader().scan(tmp_path, format="lmbd")
    with pytest.raises(UsageError, match="there is no"):
        LinesReader().scan(tmp_path / "absent")


def test_declared_against_readable_entries(tmp_path: Path) -> None:
    values: dict[bytes, bytes] = {b"num-samples": b"6"}
    for number, label in ((1, b"one"), (2, b"\xff\xfe"), (3, b"three"), (4, b"gone")):
        values[b"label-%09d" % number] = label
        if number != 4:
            values[b"image-%09d" % number] = png(strip(60 + number))
    values[b"image-%09d" % 3] = values[b"image-%09d" % 3][:100]
    values[b"image-%09d" % 5] = png(strip(2000, 4))
    path = database(tmp_path, values)
    scanned = LinesReader().scan(tmp_path)
    rows = scanned.samples.frame
    assert rows["entry"].to_list() == [1, 2]
    assert rows["text"].to_list() == ["one", None]
    assert rows["text_problem"].to_list() == [None, "no UTF-8 text"]
    causes = {Path(name).name.removeprefix("data.mdb"): cause for name, cause in scanned.problems.rows()}
    assert causes == {
        "#3": "the picture of an entry: the picture is truncated: its end mark is missing",
        "#4": "an entry has a label and no picture",
        "#5": "the picture of an entry: a line of 2,000 × 4 pixels: more than 400 times as wide as high",
        "#6": "a declared entry is not there",
        "": "num-samples declares 6 entries, 2 have a readable picture",
    }
    assert LinesReader().scan(path).samples.frame.equals(rows), "the file itself is a source, too"


def test_keys_and_columns_of_the_reader_are_passed_over(tmp_path: Path) -> None:
    values: dict[bytes, bytes] = {}
    for number, label in ((1, "שלום"), (2, "שנת"), (3, "abc")):
        values[b"image-%09d" % number] = png(strip(50))
        values[b"label-%09d" % number] = label.encode()
        for family in (b"direction", b"Direction", b"sample", b"text_problem", b"region"):
            values[family + b"-%09d" % number] = b"vertical"
    rows = LinesReader().scan(database(tmp_path / "db", values).parent).samples.frame
    assert rows["direction"].to_list() == ["rtl", "rtl", "ltr"]
    assert rows.columns == ["sample", "path", "entry", "text", "text_problem", "direction", "width", "height"]
    assert "vertical" not in str(rows.rows())
    picture(tmp_path / "0.png")
    (tmp_path / "labels.csv").write_text("file,text,direction\n0.png,שלום,vertical\n", encoding="utf-8")
    assert LinesReader().scan(tmp_path, format="table").samples.frame["direction"].to_list() == ["rtl"]


def test_further_keys_become_columns(tmp_path: Path) -> None:
    values = {b"image-%09d" % k: png(strip(50 + k)) for k in (1, 2)}
    values |= {
        b"image-7": b"",
        b"\xffmeta": b"x",
        b"writer-000000001": b"anna",
        b"writer-000000002": b"ben",
        b"path-000000001": b"/home/x",
        b"wh-000000001": b"\xff",
    }
    scanned = LinesReader().scan(database(tmp_path, values).parent)
    assert scanned.samples.frame["writer"].to_list() == ["anna", "ben"]
    assert scanned.samples.frame["path"].n_unique() == 1, "the path is that of the database"
    assert any("doesn't declare a number of entries" in note for note in scanned.notes)
    assert "2 keys are of another form and passed over, such as 'image-7'" in scanned.notes


def test_several_databases(tmp_path: Path) -> None:
    for name in ("train", "test"):
        lines_database(tmp_path / name, [name, "x"])
    (tmp_path / "train" / "lock.mdb").write_bytes(b"")
    rows = LinesReader().scan(tmp_path, folders="side").samples.frame
    assert rows["sample"].to_list() == ["test:000000001", "test:000000002", "train:000000001", "train:000000002"]
    assert rows["side"].to_list() == ["test", "test", "train", "train"]


def test_a_database_beside_a_folder_of_its_name(tmp_path: Path) -> None:
    lines_database(tmp_path / "a", ["one"])
    (tmp_path / "a" / "data.mdb").rename(tmp_path / "a.mdb")
    lines_database(tmp_path / "a", ["two"])
    table = LinesReader().scan(tmp_path).samples.frame
    assert sorted(table["text"]) == ["one", "two"]
    assert sorted(table["sample"]) == ["a.2:000000001", "a:000000001"]


@pytest.mark.parametrize(
    ("numbers", "declared", "missing"), [((0, 1), 2, []), ((1, 2), 2, []), ((0, 2), 3, [1]), ((2,), 2, [1])]
)
def test_entries_count_from_0_where_there_is_one(
    tmp_path: Path, numbers: tuple[int, ...], declared: int, missing: list[int]
) -> None:
    values = {b"image-%09d" % number: png(strip(50, seed=number)) for number in numbers}
    path = database(tmp_path, values | {b"num-samples": str(declared).encode()})
    scanned = LinesReader().scan(tmp_path)
    assert scanned.samples.frame["entry"].to_list() == list(numbers)
    absent = [where for where, cause in scanned.problems.rows() if cause == "a declared entry is not there"]
    assert absent == [f"{path}#{number}" for number in missing]
    for row in scanned.samples.frame.to_dicts():
        assert (LinesReader().load(row)[:, :, 0] == strip(50, seed=row["entry"])).all()


def test_other_databases_and_damaged_ones_are_problems(tmp_path: Path) -> None:
    database(tmp_path / "other", {b"key": b"value"})
    lines_database(tmp_path / "good", ["a"])
    damaged = lines_database(tmp_path / "bad", ["a"] * 300)
    os.truncate(damaged, 40_000)
    scanned = LinesReader().scan(tmp_path)
    assert scanned.samples.frame["sample"].to_list() == ["good:000000001"]
    causes = {Path(path).parent.name: cause for path, cause in scanned.problems.rows()}
    assert causes["other"] == "the database has no keys such as image-000000001; it has 1 other, such as 'key'"
    assert "cut short" in causes["bad"]


def test_reading_what_is_not_there(tmp_path: Path) -> None:
    make_database(tmp_path)
    row = LinesReader().scan(tmp_path).samples.frame.row(0, named=True)
    with pytest.raises(ReadError, match="no picture of entry 99"):
        LinesReader().load({**row, "entry": 99})
    with pytest.raises(ReadError):
        LinesReader().load({**row, "path": str(tmp_path / "absent.mdb")})
    good, bad, again = LinesReader().load_file(row["path"], [row, {**row, "entry": 99}, row])
    assert isinstance(bad, ReadError)
    np.testing.assert_array_equal(good, again)


class RowPictures(Dataset[Any]):
    """The pictures of rows, read by the reader itself in whatever process asks."""

    def __init__(self, reader: LinesReader, rows: list[dict[str, Any]]) -> None:
        self.reader, self.rows = reader, rows

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, number: int) -> torch.Tensor:
        return torch.from_numpy(self.reader.load(self.rows[number]).copy())


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_two_workers_read_a_database_as_none(tmp_path: Path, start: str) -> None:
    lines_database(tmp_path, [f"ab{k}" for k in range(8)])
    reader = pickle.loads(pickle.dumps(LinesReader()))
    rows = reader.scan(tmp_path).samples.frame.to_dicts()
    assert len(rows) == 8
    data = RowPictures(reader, rows)
    alone = [data[number] for number in range(8)]  # the database is mapped in this process before it forks
    loader = DataLoader(
        data, batch_size=None, num_workers=2, multiprocessing_context=multiprocessing.get_context(start)
    )
    for one, other in zip(alone, loader, strict=True):
        assert torch.equal(one, other)
    assert all(torch.equal(one, data[number]) for number, one in enumerate(alone)), "and this process reads on"


def test_batches_don_t_depend_on_workers(tmp_path: Path) -> None:
    lines_database(tmp_path / "data", [f"ab{k}" for k in range(8)])
    table = LinesReader().scan(tmp_path / "data").samples
    store = ArrayStore.fill(tmp_path / "store", table, LinesReader())

    def batches(workers: int) -> list[Any]:
        loader = DataLoader(
            InputDataset(table, store, LinePreprocess(), cache_gb=0),
            batch_size=4, collate_fn=whole_batch, num_workers=workers,
        )  # fmt: skip
        return [batch["input"] for batch in loader]

    for one, other in zip(batches(0), batches(2), strict=True):
        assert torch.equal(one.values, other.values)
        assert torch.equal(one.with_valid(), other.with_valid())


def test_a_page_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from ssl_domains_text.lines import reader as module

    make_pages(tmp_path)
    table = LinesReader().scan(tmp_path).samples
    calls = []

    def counted(source: Any, *settings: Any) -> Any:
        calls.append(source)
        return decode(source, *settings)

    decode = module.decoded_picture
    monkeypatch.setattr(module, "decoded_picture", counted)
    store = ArrayStore.fill(tmp_path / "store", table, LinesReader())
    assert store.of(table).decoded.all()
    assert len(calls) == 1
