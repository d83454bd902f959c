"""Who an image is of: PatientID with its issuer, and the identifiers that name nobody."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable

__all__ = ["constant_ids", "names_nobody", "qualified"]

# What anonymisers leave in PatientID; compared without case and punctuation. ANON001 is a pseudonym and not among them.
_PLACEHOLDERS = frozenset(
    """
    ANON ANONYM ANONYMOUS ANONYMIZED ANONYMISED DEIDENTIFIED UNKNOWN UNNAMED NONAME NOID NONE NULL NA NOTAVAILABLE
    NOTPROVIDED NOTSPECIFIED REMOVED REDACTED DELETED HIDDEN PATIENT PATIENTID TEST TESTPATIENT PHANTOM
    """.split()  # noqa: SIM905 - words read better than twenty quoted strings
)


def names_nobody(patient_id: str) -> bool:
    """Whether a PatientID is a placeholder: ``ANON``, ``Anonymous``, ``0000``, ``XXXX`` …"""
    letters = re.sub(r"[^0-9A-Z]", "", patient_id.upper())
    return not letters or letters in _PLACEHOLDERS or (set(letters) in ({"0"}, {"X"}) and len(letters) > 1)


def constant_ids(files: Iterable[tuple[str, str | None]]) -> frozenset[str]:
    """PatientIDs that every file of a scan shares although there are several studies: most likely nobody's.

    Args:
        files: (PatientID, StudyInstanceUID) of each file that has a PatientID.
    """
    studies: dict[str, set[str | None]] = defaultdict(set)
    for patient, study in files:
        studies[patient].add(study)
    if len(studies) != 1:
        return frozenset()
    return frozenset(patient for patient, found in studies.items() if len(found) > 1)


def qualified(patient_id: str, issuer: str | None, source: str) -> str:
    """A PatientID told apart from the same number elsewhere: by its issuer, else by the folder it was scanned from.

    Two hospitals both have a patient 1. Written as HL7 does, ``ID^^^ISSUER``.
    """
    return f"{patient_id}^^^{issuer or source}"
