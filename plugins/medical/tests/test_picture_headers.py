"""What a picture's header says is what decoding gives, for every kind of picture."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from ssl_domains.samples import ReadError, ScanResult, Unreadable, read_guarded
from ssl_domains_medical.images import decode_pages
from ssl_domains_medical.picture_headers import picture_pages
from ssl_domains_medical.reader import MedicalReader

Scan = Callable[..., ScanResult]
RNG = np.random.default_rng(0)
H, W = 6, 9


def tiff(array: NDArray[Any], photometric: int = 1, planar: int = 1, order: str = "<") -> bytes:
    """An uncompressed TIFF file of ``[H, W, C]``, written by hand: Pillow writes few of its forms."""
    height, width, samples = array.shape
    parts = [array] if planar == 1 else [array[:, :, one] for one in range(samples)]
    data = [np.ascontiguousarray(part).astype(array.dtype.newbyteorder(order)).tobytes() for part in parts]
    kind, bits = {"u": 1, "i": 2, "f": 3}[array.dtype.kind], array.dtype.itemsize * 8
    values = {
        256: [width], 257: [height], 258: [bits] * samples, 259: [1], 262: [photometric], 273: [0] * len(data),
        277: [samples], 278: [height], 279: [len(part) for part in data], 284: [planar], 339: [kind] * samples,
    }  # fmt: skip
    if samples in (2, 4) and photometric != 5:
        values[338] = [2]
    long = {273, 279}
    blobs, at = {}, 8 + 2 + 12 * len(values) + 4
    for tag, of_tag in sorted(values.items()):
        size = len(of_tag) * (4 if tag in long else 2)
        if size > 4:
            blobs[tag], at = at, at + size
    values[273] = [at + sum(len(part) for part in data[:number]) for number in range(len(data))]
    entries = content = b""
    for tag, of_tag in sorted(values.items()):
        coded = struct.pack(f"{order}{len(of_tag)}{'I' if tag in long else 'H'}", *of_tag)
        place = struct.pack(f"{order}I", blobs[tag]) if tag in blobs else coded.ljust(4, b"\0")
        content += coded if tag in blobs else b""
        entries += struct.pack(f"{order}HHI", tag, 4 if tag in long else 3, len(of_tag)) + place
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", 8)
    return head + struct.pack(f"{order}H", len(values)) + entries + bytes(4) + content + b"".join(data)


def png(bits: int, colour: int, row_bytes: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + RNG.integers(0, 256, row_bytes, dtype=np.uint8).tobytes() for _ in range(H))
    header = struct.pack(">IIBBBBB", W, H, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def agree(path: Path) -> tuple[tuple[int, ...], str]:
    """Shape and type by the header, which must be those of the decoded array."""
    (page,) = picture_pages(path)
    (array,) = decode_pages(str(path), [0])
    assert array.shape == (page["rows"], page["columns"], page["channels"])
    assert str(array.dtype) == page["dtype"]
    return array.shape, page["dtype"]


@pytest.mark.parametrize("suffix", ["png", "tif", "jpg", "bmp"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "F", "I;16"])
def test_what_pillow_writes(tmp_path: Path, mode: str, suffix: str) -> None:
    wide = {"I": np.int32, "F": np.float32, "I;16": np.uint16}
    if mode in wide:
        picture = Image.fromarray(RNG.integers(0, 60_000, (H, W)).astype(wide[mode]))
    else:
        picture = Image.fromarray(RNG.integers(0, 256, (H, W, 3), dtype=np.uint8)).convert(mode)
    path = tmp_path / f"a.{suffix}"
    try:
        picture.save(path)
    except (OSError, KeyError):
        pytest.skip(f"Pillow writes no {mode} as {suffix}")
    agree(path)


@pytest.mark.parametrize(
    ("bits", "colour", "row_bytes", "expected"),
    [
        (1, 0, 2, (1, "uint8")),
        (2, 0, 3, (1, "uint8")),
        (4, 0, 5, (1, "uint8")),
        (16, 0, 2 * W, (1, "uint16")),
        (16, 2, 6 * W, (3, "uint16")),
        (16, 4, 4 * W, (3, "uint16")),
        (16, 6, 8 * W, (3, "uint16")),
    ],
)
def test_depths_of_png(tmp_path: Path, bits: int, colour: int, row_bytes: int, expected: tuple[int, str]) -> None:
    (tmp_path / "a.png").write_bytes(png(bits, colour, row_bytes))
    shape, dtype = agree(tmp_path / "a.png")
    assert (shape[2], dtype) == expected


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f2", "f4", "f8"])
@pytest.mark.parametrize("samples", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("photometric", [1, 2])
@pytest.mark.parametrize("planar", [1, 2])
def test_a_tiff_page_is_read_as_it_is_or_refused(
    tmp_path: Path, dtype: str, samples: int, photometric: int, planar: int
) -> None:
    array = RNG.integers(0, 100, (H, W, samples)).astype(dtype)
    path = tmp_path / "a.tif"
    path.write_bytes(tiff(array, photometric, planar))
    refused = read_guarded(lambda: picture_pages(path))
    if isinstance(refused, Unreadable):
        assert "can't be decoded" in refused.cause
        with pytest.raises(ReadError):
            decode_pages(str(path), [0])
        return
    shape, _ = agree(path)
    if samples in (1, 3) and shape[2] == samples:
        assert np.array_equal(decode_pages(str(path), [0])[0], array)


def test_common_tiff_pages_are_read(tmp_path: Path) -> None:
    for dtype in ("u1", "u2", "i2", "i4", "f4"):
        for samples in (1, 3):
            path = tmp_path / f"{dtype}{samples}.tif"
            path.write_bytes(tiff(np.ones((H, W, samples), dtype), 1 if samples == 1 else 2))
            assert agree(path) == ((H, W, samples), str(np.dtype(dtype)))
    path.write_bytes(tiff(np.ones((H, W, 1), "u2"), order=">"))
    assert agree(path) == ((H, W, 1), "uint16")


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_tiff_page_on_its_side_has_the_shape_that_it_is_shown_in(
    tmp_path: Path, dtype: type[np.generic], orientation: int
) -> None:
    stored = np.arange(H * W).reshape(H, W).astype(dtype)
    path = tmp_path / "a.tif"
    Image.fromarray(stored).save(path, tiffinfo={274: orientation})
    turn: Callable[[NDArray[Any]], NDArray[Any]] = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: a[::-1, ::-1], 4: np.flipud, 5: np.transpose,
        6: lambda a: np.rot90(a, -1), 7: lambda a: np.rot90(a, 2).T, 8: np.rot90,
    }[orientation]  # fmt: skip
    (decoded,) = decode_pages(str(path), [0])
    assert np.array_equal(decoded[:, :, 0], turn(stored))


def test_pages_have_their_own_size(tmp_path: Path, scan: Scan, reader: MedicalReader) -> None:
    pages = [Image.fromarray(np.full((2 + page, 3), page, np.uint8)) for page in range(3)]
    pages[0].save(tmp_path / "stack.tif", save_all=True, append_images=pages[1:])
    rows = list(scan().samples.frame.iter_rows(named=True))
    assert [row["rows"] for row in rows] == [2, 3, 4]
    assert [array.shape[0] for array in reader.load_file(rows[0]["path"], rows)] == [2, 3, 4]


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "bmp"])
def test_a_picture_that_is_cut_short_is_a_problem(tmp_path: Path, scan: Scan, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(RNG.integers(0, 256, (50, 50), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:-20])
    result = scan()
    assert len(result.samples) == 0
    cause = "truncated: its end mark is missing" if suffix == "jpg" else "cut short"
    assert cause in result.problems["cause"][0]


@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"", "no picture"),
        (b"\x89PNG\r\n\x1a\n", "without its header"),
        (b"II*\0\x08\0\0\0\x01", "damaged or cut off"),
        (b"II*\0\x08\0\0\0" + struct.pack("<HHHII", 1, 256, 3, 1, 4) + struct.pack("<I", 8), "point back"),
        (b"II*\0\0\0\0\0", "without a page"),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"
            + struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)
            + bytes(8)
            + b"IEND"
            + bytes(4),
            "large",
        ),
    ],
)
def test_a_damaged_header_is_a_problem(tmp_path: Path, scan: Scan, content: bytes, cause: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / "good.png")
    result = scan()
    assert [Path(path).name for path in result.samples.frame["path"]] == ["good.png"]
    assert cause in result.problems["cause"][0]


def test_a_chunk_longer_than_its_file_is_a_problem(tmp_path: Path, scan: Scan) -> None:
    Image.fromarray(RNG.integers(0, 256, (9, 9), dtype=np.uint8)).save(tmp_path / "a.png")
    data = bytearray((tmp_path / "a.png").read_bytes())
    at = data.index(b"IDAT") - 4
    data[at : at + 2] = b"\xff\xff"
    (tmp_path / "a.png").write_bytes(data)
    result = scan()
    assert len(result.samples) == 0
    assert "longer than the file" in result.problems["cause"][0]
    with pytest.raises(ReadError, match="longer than the file"):
        decode_pages(str(tmp_path / "a.png"), [0])


def test_pictures_and_their_masks(tmp_path: Path, scan: Scan) -> None:
    for name in ("a", "a_mask", "b", "mask_1"):
        Image.fromarray(np.zeros((2, 2), np.uint8)).save(tmp_path / f"{name}.png")
    cv2.imwrite(str(tmp_path / "c.png"), np.zeros((2, 2, 3), np.uint16))
    result = scan()
    assert sorted(result.samples.frame["file"]) == ["a.png", "b.png", "c.png", "mask_1.png"]
    assert any(note.endswith("by their names: 1 file") for note in result.notes)


def test_a_picture_of_more_pixels_than_pillow_opens_is_scanned_without_a_warning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    cv2.imwrite(str(tmp_path / "a.jpg"), RNG.integers(0, 256, (40, 50), dtype=np.uint8))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    assert picture_pages(tmp_path / "a.jpg") == [{"rows": 40, "columns": 50, "channels": 1, "dtype": "uint8"}]
    assert Image.MAX_IMAGE_PIXELS == 100
    assert not recwarn.list
