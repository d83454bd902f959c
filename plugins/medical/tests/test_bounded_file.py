"""A file that states giant lengths is read without reserving them."""

from __future__ import annotations

import resource

import pytest

from ssl_domains_medical.dicom.header.bounded_file import BoundedFile


def test_reads_end_where_the_file_does(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(bytes(range(100)))
    with BoundedFile(path) as file:
        assert file.read(10) == bytes(range(10))
        assert file.read(1 << 60) == bytes(range(10, 100))
        assert file.read(1 << 60) == b""
        file.seek(90)
        assert file.read() == bytes(range(90, 100))
        file.seek(200)
        assert file.read(5) == b""


@pytest.mark.parametrize("length", [0x7FFFFFFE, 0xFFFFFFFE])
def test_a_header_of_a_giant_length_asks_for_no_memory(tmp_path, length):
    import struct

    from ssl_domains_medical.dicom.header.headers import read_header

    path = tmp_path / "giant.dcm"
    meta = b"\x02\x00\x10\x00UI" + struct.pack("<H", 18) + b"1.2.840.10008.1.2\0"
    head = bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00" + struct.pack("<L", len(meta)) + meta
    path.write_bytes(head + struct.pack("<HHL", 8, 0x60, length) + b"MR")
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (1 << 32, before[1]))
    try:
        header = read_header(path)  # a MemoryError would be a ReadError that says so
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)
    assert not header.has_pixels
