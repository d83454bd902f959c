"""Scan of many made-up DICOM files: processor time, memory, and what a restart after a kill reads again.

``python -m benchmarks.dicom_scan [FILES]`` writes the files into a temporary folder and runs the command line.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage

SLICES, SERIES = 20, 10  # of a patient

_VALUES = {
    "SOPClassUID": MRImageStorage, "SOPInstanceUID": "1.2.3.1000000", "StudyInstanceUID": "1.2.4.1000000",
    "SeriesInstanceUID": "1.2.5.1000000", "PatientID": "P1000000", "PatientName": "Nobody^Made Up",
    "PatientBirthDate": "19610203", "PatientSex": "F", "InstitutionName": "Nowhere", "StudyDate": "20200110",
    "AcquisitionTime": "101500.25", "Modality": "MR", "Manufacturer": "SIEMENS", "ManufacturerModelName": "Avanto",
    "ImageType": ["ORIGINAL", "PRIMARY", "M", "ND"], "StudyDescription": "head", "SeriesDescription": "t1 tse",
    "ProtocolName": "t1_tse_tra", "InstanceNumber": 1, "AcquisitionNumber": 1, "RepetitionTime": 500.0,
    "EchoTime": 12.5, "FlipAngle": 90, "SliceThickness": 3, "SpacingBetweenSlices": 3.3,
    "ImageOrientationPatient": [1.0, 0, 0, 0, 1, 0], "ImagePositionPatient": ["-100", "-100", "1000000.5"],
    "PixelSpacing": [0.5, 0.5], "Rows": 16, "Columns": 16, "SamplesPerPixel": 1,
    "PhotometricInterpretation": "MONOCHROME2", "BitsAllocated": 16, "BitsStored": 12, "HighBit": 11,
    "PixelRepresentation": 0, "WindowCenter": 100, "WindowWidth": 200,
}  # fmt: skip


def write_archive(folder: Path, files: int) -> None:
    """Write ``files`` slices of 16 × 16 pixels: one is made by pydicom, the others by changing its numbers."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    one = FileDataset("one", {}, file_meta=meta, preamble=b"\0" * 128)
    for keyword, value in _VALUES.items():
        setattr(one, keyword, value)
    one.PixelData = np.zeros((16, 16), np.uint16).tobytes()
    one["PixelData"].VR = "OW"
    path = folder / "one.dcm"
    pydicom.dcmwrite(path, one, enforce_file_format=True)
    content = path.read_bytes()
    path.unlink()
    for number in range(files):
        series, place = divmod(number, SLICES)
        patient = series // SERIES
        made = content
        for tag, value in (
            (b"1.2.3.", number), (b"1.2.4.", patient), (b"1.2.5.", series), (b"P", patient), (b"", place)
        ):  # fmt: skip
            before = tag + b"1000000" + (b".5" if not tag else b"")
            made = made.replace(before, before.replace(b"1000000", b"%d" % (1_000_000 + value)))
        target = folder / f"p{patient}" / f"s{series}" / f"{place}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(made)


def scan(folder: Path, out: Path, kill_at: int | None = None) -> tuple[float, float]:
    """Run a scan; (processor seconds, peak memory in MB). With ``kill_at``, kill it at that size of its journal."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "ssl_domains", "medical", "scan", str(folder), "-o", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    if kill_at is not None:
        journal = out.with_name(f".scanning-{out.name}")
        while process.poll() is None and not (journal.exists() and journal.stat().st_size > kill_at):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
        process.send_signal(signal.SIGKILL)
    process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss / 1024


def main(files: int) -> None:
    """Write the archive, scan it whole, then killed after a third and started again; print the measures as JSON."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "in").mkdir()
        write_archive(folder / "in", files)
        seconds, megabytes = scan(folder / "in", folder / "whole.parquet")
        scan(folder / "in", folder / "killed.parquet", kill_at=300 * files)
        journal = folder / ".scanning-killed.parquet"
        kept = max(0, journal.read_bytes().count(b"\n") - 1) if journal.exists() else 0
        again, _ = scan(folder / "in", folder / "killed.parquet")
        equal = (folder / "whole.parquet").read_bytes() == (folder / "killed.parquet").read_bytes()
    measures = {"files": files, "cpu_s": round(seconds, 1), "peak_mb": round(megabytes), "read_before_kill": kept,
                "cpu_s_of_restart": round(again, 1), "same_bytes": equal}  # fmt: skip
    print(json.dumps(measures))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
