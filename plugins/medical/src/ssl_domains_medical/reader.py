"""The reader of the domain: one walk through the source, each kind of file to its own reader."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import IdentifierKey, Problems, ReadError, SampleTable, ScanResult, TableMeta, walk
from ssl_domains_medical import images
from ssl_domains_medical.dicom.header.headers import looks_like_dicom
from ssl_domains_medical.dicom.pixels import decode_frames
from ssl_domains_medical.dicom.scan import scan_dicom
from ssl_domains_medical.file_kind import kind_of
from ssl_domains_medical.found import Found
from ssl_domains_medical.nifti.masks import Masks, decode_masks
from ssl_domains_medical.nifti.naming import mask_word
from ssl_domains_medical.nifti.scan import scan_nifti
from ssl_domains_medical.nifti.slicing import check_axis
from ssl_domains_medical.nifti.volumes import Slice, decode_slices, is_nifti, stem_of
from ssl_domains_medical.scaled_by import scaled_by

__all__ = ["IDENTIFIERS", "MedicalReader"]

IDENTIFIERS = ("patient", "patient_id", "study", "session", "series", "volume", "site")
_OPTIONS = ("axis", "burned_in", "mask_names", "masks", "patient_ids", "site")
_EMPTY = {"sample": pl.String, "path": pl.String}
_DICOM_SUFFIXES = (".dcm", ".dicom", ".dic", ".ima")
_SUFFIXES = frozenset(
    f".{word}"
    for word in """
    7z avi bak bids bin bval bvec bz2 cfg cff csv dat db doc docx gif gz h5 hdf5 hdr htm html ima img inf ini
    ipynb jp2 jpe js json jsonl jsonld lck license lock log lst m mat md mgh mgz mha mhd mif mnc mov mp4 mpg npy
    npz nrrd nhdr odt parquet pdf pickle pkl png ppt pptx pt pth py r raw rar rst rtf sh smi sql sqlite svg svs
    tar tck tex toml trk trx tsv txt vtk vtp webp xls xlsx xml xz yaml yml zip
    """.split()  # noqa: SIM905 - words read better than a hundred quoted strings
)
_MASK_FOLDER = re.compile(r"(labels?|masks?|segs?|segmentations?)(tr|ts|val|)", re.IGNORECASE)
_IMAGE_FOLDERS = ("images", "image", "imgs", "img", "scans", "volumes")


class MedicalReader:
    """Reads DICOM, NIfTI and pictures, mixed in one folder if need be; the column ``reader`` says which read a row."""

    version = "2"
    missing = True  # DICOM pixel padding is NaN

    def scan(
        self,
        source: Path,
        *,
        axis: str = "coronal",
        masks: Path | None = None,
        mask_names: str | None = None,
        burned_in: bool = False,
        patient_ids: str = "auto",
        site: str | None = None,
        **unknown: Any,
    ) -> ScanResult:
        """Index a folder or a file by headers.

        Args:
            source: Folder or file.
            axis: Plane or voxel axis along which NIfTI volumes are cut.
            masks: Folder of NIfTI label masks; adds ``slice_class``, ``area_CLASS``, ``mask_path``.
            mask_names: Names of classes, ``"1=anterior,2=posterior"``.
            burned_in: Keep DICOM images that declare burned-in annotation.
            patient_ids: ``auto`` makes placeholders for PatientID null, ``keep`` keeps every id, ``folder[:LEVEL]``
                names the patient of DICOM files without an id by a folder of their path.
            site: Tells sites with equal patient ids apart: a DICOM attribute such as ``InstitutionName``, or
                ``folder[:LEVEL]``.
            unknown: Refused.

        Raises:
            UsageError: When the source or the masks don't exist, or an option is unknown or can't be read.
        """
        if unknown:
            word = min(unknown)
            raise UsageError(f"medical scan has no option {word!r}", did_you_mean(word, _OPTIONS))
        axis = check_axis(axis)
        source = Path(source).resolve()
        if not source.exists():
            raise UsageError(f"there is no {str(source)!r}", "give a folder or a file")
        if mask_names and masks is None:
            raise UsageError("--mask-names without --masks", "add --masks FOLDER")
        labels = Masks.find(Path(masks), source, mask_names) if masks is not None else None
        root = source if source.is_dir() else source.parent
        problems = Problems()
        files, notes = _sort_files(source, labels.folder if labels else None, problems)
        key = IdentifierKey.load()
        digest = key.digest

        parts = [
            Found(problems=problems),
            scan_dicom(files["dicom"], root, key, burned_in=burned_in, patient_ids=patient_ids, site=site),
            scan_nifti(files["nifti"], root, digest, axis, labels),
            images.scan_images(files["image"], root, digest),
        ]
        options: dict[str, Any] = {"axis": axis, "masks": labels is not None, "burned_in": burned_in}
        options["mask_names"] = mask_names
        if labels is not None:
            # As found, which may be in dataset.json.
            named = (f"{number}={name}" for number, name in sorted(labels.names.items()))
            options["mask_names"] = ",".join(named) or None
        return _result(parts, notes, options, key)

    def load(self, row: Mapping[str, Any]) -> NDArray[np.generic]:
        """Decode one row: ``[H, W, C]`` in native type and unit.

        Raises:
            ReadError: With the cause.
        """
        return self._decoded(str(row["path"]), [row])[0]

    def load_file(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[NDArray[np.generic]]:
        """Decode rows of one file, opened once; in their order.

        A NIfTI file that is damaged gives its error for each row: trying the rows one by one would expand the whole
        file for each of them.

        Raises:
            ReadError: With the cause.
        """
        try:
            return self._decoded(path, rows)
        except ReadError as error:
            if len(rows) > 1 and is_nifti(Path(path)):
                failed: list[Any] = [error] * len(rows)
                return failed
            raise

    def _decoded(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[NDArray[np.generic]]:
        if not Path(path).is_file():
            raise ReadError("the file is gone")
        kind = rows[0].get("reader") or kind_of(Path(path))
        if kind == "nifti":
            return decode_slices(path, [_slice_of(row) for row in rows])
        frames = [int(row.get("frame") or 0) for row in rows]
        return decode_frames(path, frames) if kind == "dicom" else images.decode_pages(path, frames)

    def load_mask(self, row: Mapping[str, Any]) -> NDArray[np.integer[Any]]:
        """The mask of one slice of a NIfTI volume: ``[H, W]``, cut and standing like its image; 0 is background.

        Raises:
            ReadError: With the cause.
        """
        path = row.get("mask_path")
        if not path:
            raise ReadError("the table names no mask for this row")
        return self.load_masks(str(path), [row])[0]

    def load_masks(self, path: str, rows: Sequence[Mapping[str, Any]]) -> Sequence[NDArray[np.integer[Any]]]:
        """Masks of rows of one mask file, opened once; in their order.

        Raises:
            ReadError: With the cause.
        """
        for file in (path, str(rows[0]["path"])):
            if not Path(file).is_file():
                raise ReadError("the file is gone")
        slices = [(int(row["slice"]), str(row.get("axis") or "coronal")) for row in rows]
        return decode_masks(path, str(rows[0]["path"]), slices)


def _slice_of(row: Mapping[str, Any]) -> Slice:
    axis, channels = str(row.get("axis") or "coronal"), str(row.get("channel_numbers") or "")
    return Slice(int(row["slice"]), axis, int(row.get("frame") or 0), channels)


def _sort_files(source: Path, masks: Path | None, problems: Problems) -> tuple[dict[str, list[Path]], list[str]]:
    """Every file by kind, in a fixed order, with what was passed over."""
    files: dict[str, list[Path]] = {"dicom": [], "nifti": [], "image": []}
    other: Counter[str] = Counter()
    left_out: Counter[str] = Counter()

    def skip(folder: Path) -> bool:
        if masks is not None and folder == masks:
            return True
        beside = _images_beside(folder)
        if beside is not None:
            left_out[f"{folder.name}/ beside {beside}"] += 1
        return beside is not None

    for path in walk(source, problems, skip):
        if is_nifti(path):
            files["nifti"].append(path)
        elif path.suffix.lower() in images.SUFFIXES:
            files["image"].append(path)
        elif path.suffix.lower() in _DICOM_SUFFIXES or _begins_as_dicom(path):
            files["dicom"].append(path)
        else:
            other[_suffix_in_words(path)] += 1
    notes = [
        f"{place} was left out: masks, most likely (--masks {place.split('/')[0]} reads those of NIfTI volumes)"
        for place in left_out
    ]
    if other:
        kinds = ", ".join(f"{count:,} {suffix}" for suffix, count in sorted(other.items()))
        notes.append(f"passed over as no image of a known kind: {kinds}")
    return files, notes


def _suffix_in_words(path: Path) -> str:
    """A common suffix; others may be a part of a name, as in ``scan.Doe``."""
    suffix = path.suffix.lower()
    return suffix if suffix in _SUFFIXES else "of another suffix" if suffix else "without suffix"


def _images_beside(folder: Path) -> str | None:
    """What makes a folder one of masks: a folder of images beside it, or images; None where there is nothing."""
    word = _MASK_FOLDER.fullmatch(folder.name)
    if word is None:
        return None
    try:
        entries = list(folder.parent.iterdir())
    except OSError:
        return None
    wanted = {name + word[2].lower() for name in _IMAGE_FOLDERS}
    named = sorted(entry.name for entry in entries if entry.name.lower() in wanted and entry.is_dir())
    if named:
        return f"{named[0]}/"
    images_there = any(_is_image_by_name(entry) and mask_word(stem_of(entry)) is None for entry in entries)
    return "images" if images_there else None


def _is_image_by_name(path: Path) -> bool:
    return is_nifti(path) or path.suffix.lower() in images.SUFFIXES


def _begins_as_dicom(path: Path) -> bool:
    try:
        return looks_like_dicom(path)
    except OSError:
        return True  # can't be opened: the DICOM scan says so


def _result(parts: Sequence[Found], notes: list[str], options: dict[str, Any], key: IdentifierKey) -> ScanResult:
    frames = [pl.DataFrame(part.rows, infer_schema_length=None) for part in parts if part.rows]
    frame = pl.concat(frames, how="diagonal_relaxed") if frames else pl.DataFrame(schema=_EMPTY)
    # What no file speaks of is no column, except who it is of: there an error should say "null", not "no such column".
    silent = [column.name for column in frame if column.null_count() == len(column)]
    kept = [name for name in silent if name in ("sample", "path", "patient", "patient_id")]
    frame = frame.drop(name for name in silent if name not in kept).with_columns(pl.col(kept).cast(pl.String))
    if len(frame):
        frame = scaled_by(frame)
    if options["masks"]:
        options["mask_columns"] = [name for name in frame.columns if name == "slice_class" or name.startswith("area_")]
    identifiers = tuple(name for name in IDENTIFIERS if name in frame.columns)
    meta = TableMeta("medical", identifiers, options, key.fingerprint)
    problems = pl.concat([part.problems.frame() for part in parts])
    said = [*notes, *(note for part in parts for note in part.notes)]
    return ScanResult(SampleTable(frame, meta), problems, tuple(said))
