"""The patients of a scan: which ids stand for a person, which for nobody, and which sites they are from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains_medical.dicom.instance import Instance
from ssl_domains_medical.dicom.patients import contradicting, placeholders
from ssl_domains_medical.found import plural

__all__ = ["SITE_ATTRIBUTES", "Identities"]

SITE_ATTRIBUTES = (
    "InstitutionName", "InstitutionAddress", "InstitutionalDepartmentName", "StationName", "DeviceSerialNumber",
    "ClinicalTrialSiteID", "ClinicalTrialSiteName",
)  # fmt: skip
_FOLDER = "folder"
_MODES = ("auto", "keep", _FOLDER)


class Identities:
    """Turns the person of each file into the columns ``patient``, ``patient_id``, ``study``, ``days`` (and ``site``).

    ``patient`` is a function of PatientID and its issuer alone, so that it is the same in every scan with one key; with
    ``site``, of that as well.

    Args:
        root: The folder that is scanned.
        digest: Keyed hash.
        patient_ids: ``auto`` makes placeholders null; ``keep`` keeps every id; ``folder`` or ``folder:LEVEL`` is
            ``auto``, and names the patient of files without an id by that folder of their path.
        site: What tells sites with equal ids apart: a DICOM attribute of `SITE_ATTRIBUTES`, or ``folder:LEVEL``: 1 is
            the first folder below ``root`` and the default, -1 the folder that holds the file.

    Raises:
        UsageError: When ``patient_ids`` or ``site`` is none of these.
    """

    def __init__(self, root: Path, digest: Callable[[str], str], patient_ids: str, site: str | None) -> None:
        self._root, self._digest = root, digest
        self._keep = patient_ids == "keep"
        self._patient_level = _level(patient_ids)
        if patient_ids not in _MODES and self._patient_level is None:
            raise UsageError(f"--patient-ids {patient_ids!r} is not known", "auto, keep, folder, or folder:LEVEL")
        self._site_level = None if site is None else _level(site)
        self._with_site = site is not None
        self.site_keyword = None if site is None or self._site_level is not None else _attribute(site)
        self._nobody: dict[str, str] = {}
        self._first_day: dict[str, int] = {}
        self.notes: list[str] = []

    def learn(self, files: Sequence[Instance]) -> None:
        """Look at all files of a scan, before `columns`; `notes` then says what was found."""
        missing = sum(file.person.patient_id is None for file in files)
        if missing and self._patient_level is None:
            self.notes.append(
                f"{plural(missing, 'image has', 'images have')} no PatientID: patient is null there "
                "(--patient-ids folder:1 takes the first folder of their path)"
            )
        elif missing:
            self.notes.append(f"{plural(missing, 'image has', 'images have')} no PatientID: patient is their folder")
        if not self._keep:
            self._nobody = placeholders((file.person, file.study) for file in files)
            self._say_placeholders(files)
        if self._with_site:
            without = sum(self._site(file) is None for file in files)
            if without:
                self.notes.append(f"{plural(without, 'image has', 'images have')} no site: site is null there")
        self._say_contradictions(files)
        for file in files:
            patient = self._patient(file)
            if patient is not None and file.day is not None:
                self._first_day[patient] = min(file.day, self._first_day.get(patient, file.day))

    def columns(self, file: Instance) -> dict[str, Any]:
        """The columns of a file that say whose it is."""
        patient = self._patient(file)
        start = None if patient is None else self._first_day.get(patient)
        known = file.person.patient_id is not None and file.person.patient_id not in self._nobody
        columns = {
            "patient": patient,
            "patient_id": file.person.patient_id if known else None,
            "study": file.study,
            "days": None if file.day is None or start is None else file.day - start,
        }
        return {**columns, "site": self._site(file)} if self._with_site else columns

    def _patient(self, file: Instance) -> str | None:
        patient = file.person.patient
        if patient is None or file.person.patient_id in self._nobody:
            folder = None if self._patient_level is None else self._folder(file, self._patient_level)
            patient = None if folder is None else self._digest(f"patient of folder {folder}")
        site = self._site(file)
        return patient if patient is None or site is None else self._digest(f"{patient} at {site}")

    def _site(self, file: Instance) -> str | None:
        if self._site_level is None:
            return file.person.site
        folder = self._folder(file, self._site_level)
        return None if folder is None else self._digest(f"site {folder}")

    def _folder(self, file: Instance, level: int) -> str | None:
        if not file.path.is_relative_to(self._root):
            return None
        parts = file.path.relative_to(self._root).parts[:-1]
        index = level - 1 if level > 0 else level
        return parts[index] if -len(parts) <= index < len(parts) else None

    def _say_placeholders(self, files: Sequence[Instance]) -> None:
        counts = Counter(self._nobody.get(file.person.patient_id or "") for file in files)
        counts.pop(None, None)
        if counts:
            words = ", ".join(f"{word} in {plural(count, 'image')}" for word, count in sorted(counts.items()))
            self.notes.append(
                f"a placeholder for PatientID, shared by several studies, names nobody: {words}. "
                f"{'patient is null' if self._patient_level is None else 'their folder is the patient'} there, for "
                "such images are not one patient's (--patient-ids keep keeps them)"
            )

    def _say_contradictions(self, files: Sequence[Instance]) -> None:
        people = [(patient, file.person) for file in files if (patient := self._patient(file)) is not None]
        count = contradicting(people)
        if count:
            cure = "" if self._with_site else " (--site folder:1 or --site InstitutionName tells sites apart)"
            self.notes.append(
                f"{plural(count, 'patient has', 'patients have')} images of different sex or birth date: two sites "
                f"may have given one id to two people{cure}"
            )


def _level(word: str) -> int | None:
    """The level of ``folder:LEVEL``; None for another word."""
    name, _, level = word.partition(":")
    if name.lower() != _FOLDER:
        return None
    try:
        number = int(level or 1)
    except ValueError:
        number = 0
    if number == 0:
        raise UsageError(f"{word!r} names no level of folders", "folder:1 is the first folder, folder:-1 the last")
    return number


def _attribute(site: str) -> str:
    for keyword in SITE_ATTRIBUTES:
        if keyword.lower() == site.lower():
            return keyword
    hint = f"{did_you_mean(site, SITE_ATTRIBUTES)}; or folder:1"
    raise UsageError(f"--site {site!r} is no attribute that tells sites apart", hint)
