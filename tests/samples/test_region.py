"""Regions give the same numbers as libraries that read the whole file, and refuse files whose numbers aren't plain."""

from __future__ import annotations

import os
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import wavfile

from ssl_domains.errors import DataError
from ssl_domains.samples import LazyArray, ReadError, Region, normal_slices
from ssl_domains.samples.mapped_file import MOST, _mapping

nibabel = pytest.importorskip("nibabel")
RNG = np.random.default_rng(0)


def random_slices(shape: tuple[int, ...], rng: np.random.Generator) -> tuple[slice, ...]:
    """A slice for each side, some of them open, negative, outside or empty."""
    slices = []
    for side in shape:
        start, stop = (int(place) for place in rng.integers(-side - 2, side + 3, 2))
        ends = [None if rng.random() < 0.2 else start, None if rng.random() < 0.2 else stop]
        slices.append(slice(*ends, int(rng.integers(1, 4)) if rng.random() < 0.5 else None))
    return tuple(slices[: rng.integers(0, len(shape) + 1)])


def assert_reads(region: Region, whole: np.ndarray, draws: int = 60) -> None:
    """A region and its pickled copy give what NumPy's slicing of the whole array gives."""
    assert isinstance(region, LazyArray)
    assert region.shape == whole.shape
    rng = np.random.default_rng(1)
    for lazy in (region, pickle.loads(pickle.dumps(region))):
        for slices in [(), *(random_slices(whole.shape, rng) for _ in range(draws))]:
            part, valid = lazy.read(slices)
            assert valid is None
            assert part.dtype == whole.dtype.newbyteorder("=")
            np.testing.assert_array_equal(part, whole[slices])
            assert not part.flags.writeable


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["u1", "bool", "<i2", ">i2", ">f4", "<f8", ">u8", "<f2"])
@pytest.mark.parametrize("shape", [(13,), (5, 7), (4, 5, 6), (3, 2, 4, 5)])
def test_npy(tmp_path: Path, order: Any, dtype: str, shape: tuple[int, ...]) -> None:
    whole = np.asarray(RNG.random(shape) * 200, dtype=dtype, order=order)
    np.save(tmp_path / "a.npy", whole)
    assert_reads(Region.npy(tmp_path / "a.npy"), whole)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
def test_versions_of_npy(tmp_path: Path, version: tuple[int, int]) -> None:
    with (tmp_path / "a.npy").open("wb") as file:
        np.lib.format.write_array(file, np.arange(6.0).reshape(2, 3), version=version)
    assert_reads(Region.npy(tmp_path / "a.npy"), np.arange(6.0).reshape(2, 3), 5)


@pytest.mark.parametrize("endian", "<>")
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8", "i1", "u2", "u4"])
@pytest.mark.parametrize("kind", ["Nifti1Image", "Nifti2Image", "Nifti1Pair"])
def test_nifti(tmp_path: Path, endian: str, dtype: str, kind: str) -> None:
    made, voxels = getattr(nibabel, kind), (RNG.random((5, 6, 7)) * 100).astype(endian + dtype)
    image = made(voxels, np.eye(4), made.header_class(endianness=endian))
    image.header.set_data_dtype(dtype)
    image.header.set_slope_inter(1, 0)
    path = tmp_path / ("a.hdr" if kind == "Nifti1Pair" else "a.nii")
    nibabel.save(image, path)
    assert nibabel.load(path).header.endianness == endian
    oracle = np.asanyarray(nibabel.load(path).dataobj)
    for named in [path, *([tmp_path / "a.img"] if kind == "Nifti1Pair" else [])]:
        assert_reads(Region.nifti(named), np.asarray(oracle), 20)


def test_nifti_of_four_dimensions_without_a_slope(tmp_path: Path) -> None:
    voxels = RNG.integers(0, 99, (3, 4, 5, 2)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(voxels, np.eye(4)), tmp_path / "a.nii")
    assert_reads(Region.nifti(tmp_path / "a.nii"), voxels)


@pytest.mark.parametrize("channels", [1, 2, 3])
@pytest.mark.parametrize("dtype", ["u1", "i2", "i4", "f4", "f8"])
def test_wav(tmp_path: Path, channels: int, dtype: str) -> None:
    sound = (RNG.random((101, channels)) * 100).astype(dtype)
    wavfile.write(tmp_path / "a.wav", 16_000, sound)
    oracle = wavfile.read(tmp_path / "a.wav")[1].reshape(101, channels)
    assert_reads(Region.wav(tmp_path / "a.wav"), oracle)


def wav(form: bytes, data: bytes, before: bytes = b"", length: int | None = None, riff: bytes = b"RIFF") -> bytes:
    order = "<" if riff == b"RIFF" else ">"
    chunks = before + b"fmt " + struct.pack(order + "I", len(form)) + form
    chunks += b"data" + struct.pack(order + "I", len(data) if length is None else length) + data
    return riff + struct.pack(order + "I", 4 + len(chunks)) + b"WAVE" + chunks


def form(tag: int, channels: int, bits: int, order: str = "<") -> bytes:
    frame = channels * bits // 8
    return struct.pack(order + "HHIIHH", tag, channels, 8000, 8000 * frame, frame, bits)


GUID = bytes.fromhex("000000001000800000aa00389b71")


def test_wav_with_odd_chunks_and_in_big_endian_and_extensible(tmp_path: Path) -> None:
    sound = RNG.integers(-99, 99, (10, 2)).astype("<i2")
    odd = b"LIST" + struct.pack("<I", 5) + b"hello\0"
    (tmp_path / "odd.wav").write_bytes(wav(form(1, 2, 16), sound.tobytes(), odd))
    assert_reads(Region.wav(tmp_path / "odd.wav"), sound, 5)
    (tmp_path / "big.wav").write_bytes(wav(form(1, 2, 16, ">"), sound.astype(">i2").tobytes(), riff=b"RIFX"))
    assert_reads(Region.wav(tmp_path / "big.wav"), sound, 5)
    extensible = form(0xFFFE, 2, 16) + struct.pack("<HHIH", 22, 16, 3, 1) + GUID
    (tmp_path / "ext.wav").write_bytes(wav(extensible, sound.tobytes()))
    assert_reads(Region.wav(tmp_path / "ext.wav"), sound, 5)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (wav(form(1, 1, 24), bytes(30)), "24-bit samples"),
        (wav(form(6, 1, 8), bytes(30)), "compressed samples (format 6)"),
        (wav(form(1, 1, 16), b"", length=0), "says 0 bytes of samples and has 0"),
        (wav(form(1, 1, 16), bytes(8), length=2**32 - 1), "says 4294967295 bytes of samples and has 8"),
        (wav(form(1, 1, 16), bytes(8))[:20], "no samples, or is cut short"),
        (b"RIFF\0\0\0\0WAVEdata\4\0\0\0abcd", "doesn't say the form"),
        (b"RF64" + wav(form(1, 1, 16), bytes(8))[4:], "more than 4 GB"),
        (wav(struct.pack("<HHIIHH", 1, 2, 8000, 0, 3, 16), bytes(8)), "2 channels of 2 bytes in 3 bytes"),
        (b"", "the file is empty"),
        (b"ID3\3 a song of another kind", "this is no wav file"),
    ],
)
def test_wav_that_can_not_be_read_in_place(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(ReadError) as raised:
        Region.wav(tmp_path / "a.wav")
    assert said in str(raised.value)


def nifti(tmp_path: Path, **changed: Any) -> Path:
    image = nibabel.Nifti1Image(np.zeros((2, 3, 4), np.int16), np.eye(4))
    nibabel.save(image, tmp_path / "a.nii")
    content = bytearray((tmp_path / "a.nii").read_bytes())
    for place, (code, value) in {int(name[1:]): pair for name, pair in changed.items()}.items():
        struct.pack_into("<" + code, content, place, *(value if isinstance(value, tuple) else (value,)))
    (tmp_path / "a.nii").write_bytes(content)
    return tmp_path / "a.nii"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"_112": ("2f", (2.0, 0.0))}, "scale factor (slope 2, intercept 0)"),
        ({"_112": ("2f", (1.0, -1024.0))}, "scale factor (slope 1, intercept -1024)"),
        ({"_70": ("h", 128)}, "voxels of type 128"),
        ({"_70": ("h", 32)}, "voxels of type 32"),
        ({"_40": ("h", 9)}, "9 dimensions"),
        ({"_42": ("h", -2)}, "dimensions of [-2"),
        ({"_42": ("h", 200)}, "ends before its numbers do"),
        ({"_108": ("f", 12.0)}, "start at byte 12"),
        ({"_344": ("4s", b"\0\0\0\0")}, "no NIfTI file"),
        ({"_0": ("i", 99)}, "no NIfTI file"),
        ({"_0": ("2s", b"\x1f\x8b")}, "compressed"),
        ({"_344": ("4s", b"ni1\0")}, ".img file"),
    ],
)
def test_nifti_that_can_not_be_read_in_place(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ReadError) as raised:
        Region.nifti(nifti(tmp_path, **changed))
    assert said in str(raised.value)


@pytest.mark.parametrize("slope", [0.0, float("nan")])
def test_nifti_without_a_scale_factor_has_slope_0_or_nan(tmp_path: Path, slope: float) -> None:
    region = Region.nifti(nifti(tmp_path, _112=("2f", (slope, 7.0))))
    assert_reads(region, np.zeros((2, 3, 4), np.int16), 5)


def test_npy_that_can_not_be_read_in_place(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    for content, said in (
        (np.array([{}, None], dtype=object), "holds object"),
        (np.array(["a"]), "holds <U1"),
        (np.zeros(3, complex), "holds complex128"),
        (np.zeros(2, [("a", "i4"), ("b", "f4")]), "not numbers"),
    ):
        np.save(path, content, allow_pickle=True)
        with pytest.raises(ReadError) as raised:
            Region.npy(path)
        assert said in str(raised.value)
    np.save(path, np.arange(100))
    whole = path.read_bytes()
    for content, said in (
        (whole[:-1], f"ends before its numbers do: it has {len(whole) - 1} bytes of {len(whole)}"),
        (whole[:50], "no .npy file, or a damaged one"),
        (b"", "the file is empty"),
        (whole[:10] + b"(((" + whole[13:], "no .npy file, or a damaged one"),
        (whole.replace(b"(100,)", b"(-99,)"), "a damaged one (its shape is [-99])"),
        (b"\x93NUMPY\x07\x00" + whole[8:], "version 7.0"),
    ):
        path.write_bytes(content)
        with pytest.raises(ReadError) as raised:
            Region.npy(path)
        assert said in str(raised.value)
    for read in (Region.npy, Region.nifti, Region.wav):
        with pytest.raises(ReadError, match="can't be opened: No such file"):
            read(tmp_path / "absent")
    with pytest.raises(ReadError, match="Python objects"):
        Region(str(path), np.dtype(object), 0, (3,))


@pytest.mark.parametrize("order", ["C", "F"])
def test_indexing_gives_regions(tmp_path: Path, order: Any) -> None:
    whole = np.asarray(RNG.random((4, 5, 6)), order=order)
    np.save(tmp_path / "a.npy", whole)
    region = Region.npy(tmp_path / "a.npy")
    for index in [
        2, -1, (1, 2), (slice(1, 3), 4), (..., 0), (slice(None), None, 3), (0, 0, 0), (slice(2, 2),), None, np.int64(3),
        (slice(None, None, -2), ..., slice(4, 1, -1)),
    ]:  # fmt: skip
        made = region[index]
        assert made.shape == whole[index].shape
        np.testing.assert_array_equal(made.read(())[0], whole[index])
    np.testing.assert_array_equal(region.transpose(2, 0, 1)[1:4].read([slice(1, 2)])[0], whole.transpose(2, 0, 1)[2:3])
    for index in ([0, 1], np.array([True] * 4), 4, "a", (0, 0, 0, 0)):
        with pytest.raises(IndexError):
            region[index]


def test_a_file_that_changes_is_an_error_and_no_crash(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    np.save(path, np.arange(100_000))
    region, bare = Region.npy(path), Region(str(path), np.dtype("i8"), 128, (100_000,))
    assert region.read([slice(-1, None)])[0][0] == bare.read([slice(-1, None)])[0][0] == 99_999
    whole = path.read_bytes()
    os.truncate(path, 4096)
    for one in (region, bare):
        with pytest.raises(DataError, match=r"a.npy changed while it was being used: it has 4096 bytes, not 800128"):
            one.read([slice(-1, None)])
    os.truncate(path, 0)
    with pytest.raises(DataError, match="it is empty"):
        region.read(())
    path.unlink()
    with pytest.raises(DataError, match="No such file") as raised:
        region.read(())
    assert raised.value.exit_code == 4
    path.write_bytes(whole)
    assert region.read([slice(-1, None)])[0][0] == 99_999
    path.write_bytes(whole + b"more")
    with pytest.raises(DataError, match="800132 bytes, not 800128"):
        region.read(())
    with pytest.raises(DataError, match="bytes, not"):
        Region(str(path), np.dtype("i8"), 8, (3,), (-8,)).read(())


def test_a_file_is_mapped_once_and_few_stay_mapped(tmp_path: Path) -> None:
    _mapping.cache_clear()
    np.save(tmp_path / "a.npy", np.arange(1000))
    region = Region.npy(tmp_path / "a.npy")
    for start in range(200):
        assert region[start : start + 5].read(())[0][0] == start
    assert _mapping.cache_info().misses == 1
    for number in range(MOST + 10):
        np.save(tmp_path / f"{number}.npy", np.arange(3))
        Region.npy(tmp_path / f"{number}.npy").read(())
    assert _mapping.cache_info().currsize == MOST


def test_slices_are_made_normal() -> None:
    assert normal_slices([slice(-3, None)], (10, 4)) == (slice(7, 10, 1), slice(0, 4, 1))
    assert normal_slices([slice(8, 2), slice(0, 99, 3)], (10, 4)) == (slice(8, 8, 1), slice(0, 4, 3))
    for slices, error in (([slice(None)] * 3, IndexError), ([1], IndexError), ([slice(None, None, -1)], ValueError)):
        with pytest.raises(error):
            normal_slices(slices, (10, 4))  # type: ignore[arg-type]
