"""No file ends a scan: whatever it holds, it is named with its cause, and the others are read."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ssl_domains.samples import ScanResult
from ssl_domains.samples.scanning.session import ScanSession, scan_session
from ssl_domains_fisheye import reader as reader_module
from ssl_domains_fisheye.annotations import candidates as candidates_module
from ssl_domains_fisheye.images import decode, read_header
from ssl_domains_fisheye.reader import FisheyeReader

Picture = Callable[..., Path]
Write = Callable[[str, Any], Path]
DEEP = 100_000


def scan(source: Path, **options: Any) -> ScanResult:
    return FisheyeReader().scan(source, **options)


def causes(result: ScanResult) -> dict[str, str]:
    return {Path(path).name: cause for path, cause in result.problems.rows()}


VOC = "<annotation><object><name>car</name><bndbox>{}</bndbox></object></annotation>"
GOOD = {
    ".txt": "0 0.5 0.5 0.2 0.2\n",
    ".xml": VOC.format("<xmin>5</xmin><ymin>5</ymin><xmax>20</xmax><ymax>20</ymax>"),
}
BAD = {
    "400 digits": (".txt", f"0 0.5 0.5 0.2 {'9' * 400}\n"),
    "a class of 400 digits": (".txt", f"{'9' * 400} 0.5 0.5 0.2 0.2\n"),
    "10,000 digits": (".txt", f"0 0.5 0.5 0.2 {'9' * 10_000}\n"),
    "NUL": (".txt", "\0\0\0 \0"),
    "one long line": (".txt", "0 " * 100_000),
    "deep XML": (".xml", "<annotation>" + "<a>" * DEEP + "</a>" * DEEP + "</annotation>"),
    "XML of 400 digits": (".xml", VOC.format(f"<xmin>{'9' * 400}</xmin><ymin>1</ymin><xmax>2</xmax><ymax>2</ymax>")),
    "XML that is cut off": (".xml", "<annotation><object>"),
    "XML with entities": (".xml", '<!DOCTYPE x [<!ENTITY a "aaaa">]><annotation>&a;</annotation>'),
    "XML of bytes": (".xml", "<annotation>\0\x01</annotation>"),
}


@pytest.mark.parametrize("kind", sorted(BAD))
def test_a_bad_annotation_leaves_the_others(kind: str, picture: Picture, write: Write, tmp_path: Path) -> None:
    ending, content = BAD[kind]
    for name in ("bad", "good"):
        picture(f"images/{name}.png")
    write(f"labels/good{ending}", GOOD[ending])
    write(f"labels/bad{ending}", content)
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == ["images/good.png"]
    assert set(causes(result)) <= {f"bad{ending}", "bad.png"}
    assert all(len(cause) <= 300 and str(tmp_path) not in cause for cause in causes(result).values())
    # A file with no object in it says that nothing is there; all others are named.
    assert bool(causes(result)) == (kind != "deep XML")


@pytest.mark.parametrize(
    "content",
    [
        '{"images": ' + "[" * DEEP, '{"images": [], "annotations": ' + "[" * DEEP + "]" * DEEP + "}",
        '{"images": null, "annotations": []}', '{"images": [{}, 3, null], "annotations": [{}, 3, null]}',
        '{"images": [{"id": 1, "file_name": "a.png", "width": ' + "9" * 400 + "}], "
        '"annotations": [{"image_id": 1, "bbox": [1, 2, 3, ' + "9" * 400 + "]}]}",
        '{"images": [{"id": ' + "9" * 5000 + "}]}", '{"images": [1e999, NaN], "annotations": [[[]]]}',
        '{"images": [{"id": NaN, "file_name": "../../a.png"}], "annotations": [{"image_id": NaN, "bbox": "1234"}]}',
    ],
)  # fmt: skip
def test_a_bad_coco_file_is_named(content: str, picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("instances.json", content)
    result = scan(tmp_path)
    assert len(result.samples) == 0
    assert "instances.json" in causes(result) or "a.png" in causes(result)
    assert all(len(cause) <= 300 for cause in causes(result).values())


@pytest.mark.parametrize(
    "content",
    ["names: " + "[" * 5000, "names: [" + "[" * 3000 + "]" * 3000 + "]", "names: {1: &a [*a]}", "a: b: c", "\0", "- 1",
     "a: &a [x, x]\nb: &b [*a, *a]\nnames: [*b, car]", "names: 3", f"names: {{{'9' * 400}: car}}", "&a [*a]"],
)  # fmt: skip
def test_a_bad_file_of_names_leaves_the_numbers(content: str, picture: Picture, write: Write, tmp_path: Path) -> None:
    picture("a.png")
    write("a.txt", "0 0.5 0.5 0.2 0.2\n")
    write("data.yaml", content)
    assert scan(tmp_path).samples.frame["class"].to_list() == ["0"]


def test_deeply_nested_json_that_is_something_else_is_passed_over(
    picture: Picture, write: Write, tmp_path: Path
) -> None:
    picture("a.png")
    write("a.txt", "0 0.5 0.5 0.2 0.2\n")
    write("state.json", "[" * DEEP)
    result = scan(tmp_path)
    assert len(result.samples) == 1
    assert causes(result) == {}
    assert any(note.endswith("state.json") for note in result.notes if note.startswith("passed over"))


@pytest.mark.parametrize("name", ["a.txt", "instances.json", "classes.txt", "a.png"])
def test_a_file_that_may_not_be_read_is_named(
    name: str, picture: Picture, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for stem in "ab":
        picture(f"{stem}.png")
        write(f"{stem}.txt", "0 0.5 0.5 0.2 0.2\n")
    write("classes.txt", "car\n")
    write("instances.json", {"images": [], "annotations": []})

    def refuse(original: Callable[..., Any]) -> Callable[..., Any]:
        def opened(path: Any, *args: Any, **options: Any) -> Any:
            if Path(path).name == name:
                raise PermissionError(13, "Permission denied", str(path))
            return original(path, *args, **options)

        return opened

    monkeypatch.setattr(Path, "read_bytes", refuse(Path.read_bytes))
    monkeypatch.setattr(Image, "open", refuse(Image.open))
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == (["b.png"] if name[0] == "a" else ["a.png", "b.png"])
    cause = "can't be read: Permission denied" if name == "a.png" else "Permission denied"
    assert causes(result) == {name: cause}


def test_labels_that_may_not_be_read_are_not_taken_as_none(
    picture: Picture, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture("a.png")
    write("a.txt", "0 0.5 0.5 0.2 0.2\n")

    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_bytes", refuse)
    result = scan(tmp_path)
    assert len(result.samples) == 0
    assert causes(result) == {"a.txt": "Permission denied"}


def test_a_name_that_is_not_utf_8_is_named(picture: Picture, tmp_path: Path) -> None:
    whole = picture("a.png")
    try:
        (Path(os.fsdecode(os.fsencode(tmp_path) + b"/bad\xff.png"))).write_bytes(whole.read_bytes())
    except (OSError, UnicodeError):
        pytest.skip("this file system takes no such name")
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == ["a.png"]
    assert result.problems["cause"].to_list() == ["its name is not UTF-8 text: rename it"]


# pictures ------------------------------------------------------------------------------------------------------------


def png(width: int, height: int, mode: int = 2, pixels: bytes = b"\0" * 99) -> bytes:
    """A PNG whose header states a size that its pixels needn't have."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, mode, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def test_a_picture_larger_than_pillows_limit_is_read(tmp_path: Path) -> None:
    Image.new("1", (15_000, 13_000)).save(tmp_path / "large.png")
    (tmp_path / "large.txt").write_text("0 0.0002 0.0002 0.0004 0.0004\n", encoding="utf-8")
    row = scan(tmp_path).samples.frame.row(0, named=True)
    assert (row["image_width"], row["image_height"]) == (15_000, 13_000)
    assert FisheyeReader().load(row).shape == (6, 6, 1)


@pytest.mark.parametrize("size", [(60_000, 60_000), (2**31 - 1, 2**31 - 1), (100_000, 100)])
def test_a_stated_size_beyond_all_reason_is_refused_before_memory_is_asked_for(
    size: tuple[int, int], picture: Picture, tmp_path: Path
) -> None:
    picture("a.png")
    (tmp_path / "bomb.png").write_bytes(png(*size))
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == ["a.png"]
    cause = causes(result)["bomb.png"]
    assert (
        "SSL_DOMAINS_MAX_FILE_GB" in cause or "more than so small a file can hold" in cause or "not a picture" in cause
    )


def test_the_limit_is_a_setting(picture: Picture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture("a.png", 1000, 1000)
    monkeypatch.setenv("SSL_DOMAINS_MAX_FILE_GB", "0.001")
    assert "it expands to 0.0 GB" in causes(scan(tmp_path))["a.png"]
    monkeypatch.setenv("SSL_DOMAINS_MAX_FILE_GB", "0.004")
    assert decode(path).nbytes == 3_000_000


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp"])
def test_a_picture_cut_off_anywhere_is_named_at_the_scan(ending: str, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / f"whole.{ending}")
    content = (tmp_path / f"whole.{ending}").read_bytes()
    for share in (0.3, 0.6, 0.9):
        (tmp_path / f"cut{share}.{ending}").write_bytes(content[: int(len(content) * share)])
    result = scan(tmp_path)
    assert result.samples.frame["image"].to_list() == [f"whole.{ending}"]
    assert len(causes(result)) == 3


def test_flipped_bytes_never_end_a_scan(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    pixels = draw.integers(0, 256, (20, 30, 3)).astype(np.uint8)
    for ending in ("png", "jpg", "tif", "webp", "bmp"):
        Image.fromarray(pixels).save(tmp_path / f"whole.{ending}")
        content = (tmp_path / f"whole.{ending}").read_bytes()
        for i in range(40):
            changed = bytearray(content)
            for at in draw.integers(0, min(200, len(content)), 4):
                changed[at] = draw.integers(0, 256)
            (tmp_path / f"flipped{i}.{ending}").write_bytes(changed)
    result = scan(tmp_path)
    assert {"whole.png", "whole.jpg", "whole.tif", "whole.webp", "whole.bmp"} <= set(result.samples.frame["image"])
    assert len(result.samples) + len(result.problems) == 205


def test_a_header_is_read_without_decoding(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    path = picture("a.png")

    def decoded(*_: Any) -> None:
        raise AssertionError("a pixel was decoded")

    monkeypatch.setattr(Image.Image, "load", decoded)
    assert read_header(path).size == (80, 60)


# a restart -----------------------------------------------------------------------------------------------------------


def test_a_scan_goes_on_from_its_journal(
    picture: Picture, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(6):
        picture(f"set/images/{i}.png", 80, 60)
        write(f"set/labels/{i}.txt", f"{i} 0.5 0.5 0.2 0.2\nbad line\n")
    (tmp_path / "set/images/5.png").write_bytes(b"nothing")
    journal = tmp_path / "scan.journal"
    with scan_session(ScanSession(journal, "one scan")):
        first = scan(tmp_path / "set")

    def refused(*_: Any) -> None:
        raise AssertionError("a file was read again")

    monkeypatch.setattr(reader_module, "read_header", refused)
    monkeypatch.setattr(candidates_module, "read_annotation", refused)
    steps: list[tuple[str, int, int]] = []
    with scan_session(ScanSession(journal, "one scan", lambda *step: steps.append(step))):
        second = scan(tmp_path / "set")
    assert first.samples.frame.equals(second.samples.frame)
    assert first.problems.equals(second.problems)
    assert first.notes == second.notes
    assert ("pictures", 6, 6) in steps
    assert ("annotations", 6, 6) in steps
