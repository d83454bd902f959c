"""``ssl-domains medical demo-data``: patients, eyes and visits, and the faults that archives have."""

from __future__ import annotations

import csv
import shlex
import shutil
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains_medical.demo.anatomy import SCANNERS, SLICES, Eye, Scanner, b_scan, draw_eye, grade_of
from ssl_domains_medical.demo.files import SPACING_MM, Series, uid_for, write_dicomdir, write_multiframe, write_slice

__all__ = ["PATIENTS", "Scan", "draw_scans", "write_demo_data"]

PATIENTS = 80
_UNNAMED = 2
_MISSING_CST = 0.1
_REDRAWN = 0.8  # chance that the severity of an eye is drawn anew at a visit


@dataclass(frozen=True)
class Scan:
    """One series: the volume of one eye at one visit.

    Attributes:
        series: What its files say.
        eye: The anatomy.
        severity: In [0, 1): the eye's disease at this visit.
        foci: In [0, 1): the patient's bright foci.
        scanner: The patient's scanner.
        number: Number of the visit, from 1.
        folder: Where its files lie.
    """

    series: Series
    eye: Eye
    severity: float
    foci: float
    scanner: Scanner
    number: int
    folder: Path


def write_demo_data(out: Path, seed: int = 0) -> str:
    """Write the demonstration under ``out`` and return what to say about it.

    Simulated: 80 patients × 2 eyes × 2 or 3 visits × 3 B-scans of three scanners, one of which writes multi-frame files
    and the others a file a slice; a patient stays with one scanner. ``clinical.csv`` has, by SeriesInstanceUID,
    ``severity`` (three grades: the number of dark cysts), ``cst`` (µm, 260 + 200·(severity + N(0, 0.25)), 10 % missing)
    and ``bcva`` (letters). Planted: two more people whose PatientID is ANON, a multi-echo series, a missing slice, a
    truncated file, a copied file, burned-in annotation, a DICOMDIR and a text file.
    """
    images = out / "images"
    images.mkdir(parents=True, exist_ok=True)
    scans = draw_scans(images, seed)
    for index, scan in enumerate(scans):
        _write(scan, np.random.default_rng([seed, index]))
    _write_clinical(out / "clinical.csv", scans, np.random.default_rng([seed, len(scans), 1]))
    _plant_faults(images, scans, seed)
    _note(out / "README.txt")
    count = sum(1 for path in images.rglob("*") if path.is_file())
    command = [
        *("ssl-domains", "medical", "scan", str(images), "-o", str(out / "samples.parquet")),
        *("--join", str(out / "clinical.csv"), "--on", "series", "--split-by", "patient"),
    ]
    return f"{PATIENTS} simulated patients, {len(scans)} volumes, {count} files in {out}\nnext: {shlex.join(command)}"


def draw_scans(images: Path, seed: int) -> list[Scan]:
    """All volumes, with the truth of each; nothing is written.

    Args:
        images: Folder below which their files are to lie.
        seed: Seed of the data.
    """
    rng = np.random.default_rng(seed)
    return [scan for patient in range(PATIENTS + _UNNAMED) for scan in _patient(patient, images, seed, rng)]


def _patient(number: int, images: Path, seed: int, rng: np.random.Generator) -> list[Scan]:
    scanner = SCANNERS[int(rng.integers(len(SCANNERS)))]
    foci = float(rng.random())
    patient_id = f"OCT-{number + 1:04d}" if number < PATIENTS else "ANON"
    days = np.cumsum([rng.integers(0, 300), *rng.integers(28, 120, size=int(rng.integers(1, 3)))])
    eyes = {side: draw_eye(rng) for side in ("R", "L")}
    severity = {side: float(rng.random()) for side in eyes}
    scans = []
    for visit, day in enumerate(days):
        study = uid_for(seed, number, visit)
        when = (date(2021, 1, 4) + timedelta(days=int(day))).strftime("%Y%m%d")
        for side, eye in eyes.items():
            if visit and rng.random() < _REDRAWN:
                severity[side] = float(rng.random())
            series = Series(patient_id, study, uid_for(study, side), when, scanner.maker, scanner.model, side)
            folder = images / f"P{number + 1:03d}" / f"V{visit + 1}" / side
            scans.append(Scan(series, eye, severity[side], foci, scanner, visit + 1, folder))
    return scans


def _slice(scan: Scan, rng: np.random.Generator) -> NDArray[np.uint8]:
    return b_scan(scan.eye, scan.severity, scan.foci, scan.scanner, rng)


def _write(scan: Scan, rng: np.random.Generator) -> None:
    slices = [_slice(scan, rng) for _ in range(SLICES)]
    positions = [index * SPACING_MM for index in range(SLICES)]
    if scan.scanner is SCANNERS[1]:
        write_multiframe(scan.folder / "volume.dcm", scan.series, slices, positions)
        return
    # The names don't follow the order of the slices: a reader has to sort by position.
    for name, index in enumerate(rng.permutation(SLICES)):
        path = scan.folder / f"IM{name + 1:02d}.dcm"
        write_slice(path, scan.series, slices[index], int(index) + 1, positions[index])


def _write_clinical(path: Path, scans: list[Scan], rng: np.random.Generator) -> None:
    missing = set(rng.permutation(len(scans))[: round(_MISSING_CST * len(scans))].tolist())
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["series", "visit", "bcva", "cst", "severity"])
        for index, scan in enumerate(scans):
            cst = round(260 + 200 * (scan.severity + rng.normal(0, 0.25)))
            bcva = round(float(np.clip(84 - 40 * scan.severity + rng.normal(0, 20), 5, 100)))
            known = "" if index in missing else cst
            table.writerow([scan.series.series_uid, scan.number, bcva, known, grade_of(scan.severity)])


def _plant_faults(images: Path, scans: list[Scan], seed: int) -> None:
    single = [scan for scan in scans if scan.scanner is not SCANNERS[1] and scan.series.patient_id != "ANON"]
    hollow, damaged, copied, marked = single[0], single[2], single[4], single[6]
    rng = np.random.default_rng([seed, len(scans)])
    last = SLICES + 2  # of a volume of five slices, whose fourth is missing
    write_slice(hollow.folder / f"IM{last:02d}.dcm", hollow.series, _slice(hollow, rng), last, (last - 1) * SPACING_MM)
    whole = _files(damaged)[0].read_bytes()
    _files(damaged)[0].write_bytes(whole[:-1500])
    shutil.copyfile(_files(copied)[0], copied.folder / "IM01_copy.dcm")
    picture = _slice(marked, rng)
    picture[2:6, 4:40:2] = 255  # stands for a name written into the picture
    write_slice(marked.folder / "PRINT.dcm", marked.series, picture, 99, 9.0, BurnedInAnnotation="YES")

    series = replace(marked.series, series_uid=uid_for(seed, "echoes"), modality="MR", laterality=None)
    for number in range(8):
        echo, index = 1 + number % 2, number // 2
        path = images / "MULTI_ECHO" / f"IM{number + 1:02d}.dcm"
        write_slice(
            path, series, _slice(marked, rng) // echo, number + 1, 3.0 * index, EchoNumbers=echo, EchoTime=12.0 * echo
        )
    write_dicomdir(images / "DICOMDIR")
    (images / "notes.txt").write_text("Scans were exported in two batches.\n", encoding="utf-8")


def _files(scan: Scan) -> list[Path]:
    return sorted(scan.folder.glob("*.dcm"))


def _note(path: Path) -> None:
    path.write_text(
        "Simulated pictures of no person, written by `ssl-domains medical demo-data` to try the commands on.\n"
        "A demonstration, not evidence.\n",
        encoding="utf-8",
    )
