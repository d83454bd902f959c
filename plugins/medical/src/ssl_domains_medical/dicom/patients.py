"""Whose an image is: a function of PatientID and its issuer, and what is known of ids that name nobody.

Nothing here keeps an id as it stands: a record of a file holds keyed hashes, and a word only where it is on the public
list of placeholders.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import Any

from ssl_domains_medical.dicom.frames import text
from ssl_domains_medical.dicom.header.headers import Header

__all__ = ["Person", "contradicting", "person_of", "placeholder_of", "placeholders"]

# What anonymisers leave in PatientID; compared without case and punctuation. ANON001 is a pseudonym and not among them.
_PLACEHOLDERS = frozenset(
    """
    ANON ANONYM ANONYMOUS ANONYMIZED ANONYMISED DEIDENTIFIED UNKNOWN UNNAMED NONAME NOID NONE NULL NA NOTAVAILABLE
    NOTPROVIDED NOTSPECIFIED REMOVED REDACTED DELETED HIDDEN PATIENT PATIENTID TEST TESTPATIENT PHANTOM
    """.split()  # noqa: SIM905 - words read better than twenty quoted strings
)
_MANY = 2


@dataclass(frozen=True, slots=True)
class Person:
    """What a file says of its patient, hashed; None where it says nothing.

    Attributes:
        patient_id: Of PatientID alone.
        patient: Of PatientID and its issuer.
        placeholder: The word of the public list that PatientID is.
        pattern: Of PatientID with every digit made 9: equal for 0000 and 0417.
        stem: Of PatientID without the digits at its end: equal for PATIENT and PATIENT7.
        sex: Of PatientSex.
        born: Of PatientBirthDate.
        site: Of the attribute that ``--site`` names.
    """

    patient_id: str | None
    patient: str | None
    placeholder: str | None
    pattern: str | None
    stem: str | None
    sex: str | None
    born: str | None
    site: str | None

    def record(self) -> list[Any]:
        """The values in the order of the attributes, for JSON."""
        return [getattr(self, name) for name in _NAMES]


_NAMES = tuple(field.name for field in fields(Person))


def placeholder_of(patient_id: str) -> str | None:
    """The placeholder of the public list that a PatientID is: ``ANON``, ``ANONYMOUS``, ``0000``, ``XXXX`` …

    A letter or digit of any script counts: an id in Japanese is none.
    """
    spoken = "".join(letter for letter in patient_id.upper() if letter.isalnum())
    if spoken in _PLACEHOLDERS:
        return spoken
    return spoken if len(spoken) > 1 and set(spoken) in ({"0"}, {"X"}) else None


def person_of(header: Header, digest: Callable[[str], str], site: str | None) -> Person:
    """Take what a header says of its patient, and hash it.

    Args:
        header: The header.
        digest: Keyed hash.
        site: Keyword of the attribute that tells sites apart, or None.
    """
    patient_id, issuer = text(header.get("PatientID")), text(header.get("IssuerOfPatientID"))
    if patient_id is not None and not any(letter.isalnum() for letter in patient_id):
        patient_id = None
    sex = (text(header.get("PatientSex")) or "").upper()
    born = re.sub(r"\D", "", text(header.get("PatientBirthDate")) or "")
    place = text(header.get(site)) if site else None

    def hashed(what: str, value: str | None) -> str | None:
        return digest(f"{what} {value}") if value else None

    known = patient_id is not None
    return Person(
        patient_id=digest(patient_id) if patient_id else None,
        # written as HL7 does, ID^^^ISSUER: two hospitals both have a patient 1
        patient=digest(f"{patient_id}^^^{issuer or ''}") if known else None,
        placeholder=placeholder_of(patient_id) if patient_id else None,
        pattern=hashed("pattern", re.sub(r"\d", "9", patient_id)) if patient_id else None,
        stem=hashed("stem", re.sub(r"\d+$", "", patient_id.upper())) if patient_id else None,
        sex=hashed("sex", sex) if sex in ("M", "F") else None,
        born=hashed("born", born) if len(born) == 8 and born.strip("0") else None,
        site=hashed("site", place),
    )


def placeholders(files: Iterable[tuple[Person, str | None]]) -> dict[str, str]:
    """The patient ids that name nobody: id (hashed) to the word of the public list.

    An id is one when it is on the list **and** several studies share it, and when it is no member of a numbered set:
    0000 beside 0001 and 0002 is a patient.

    Args:
        files: The person and the study (None where unknown) of each file.
    """
    listed: dict[str, Person] = {}
    studies: dict[str, set[str | None]] = defaultdict(set)
    patterns: dict[str | None, set[str]] = defaultdict(set)
    stems: dict[str | None, set[str]] = defaultdict(set)
    for person, study in files:
        if person.patient_id is None:
            continue
        patterns[person.pattern].add(person.patient_id)
        stems[person.stem].add(person.patient_id)
        if person.placeholder is not None:
            listed[person.patient_id] = person
            studies[person.patient_id].add(study)
    return {
        patient_id: person.placeholder
        for patient_id, person in listed.items()
        if person.placeholder is not None
        and len(studies[patient_id]) >= _MANY
        and len(patterns[person.pattern]) == 1
        and (person.placeholder[-1].isdigit() or len(stems[person.stem]) == 1)
    }


def contradicting(people: Iterable[tuple[str, Person]]) -> int:
    """How many patients have files of different sex or birth date.

    Args:
        people: Patient and person of each file.
    """
    sexes: dict[str, set[str]] = defaultdict(set)
    births: dict[str, set[str]] = defaultdict(set)
    for patient, person in people:
        if person.sex is not None:
            sexes[patient].add(person.sex)
        if person.born is not None:
            births[patient].add(person.born)
    return len({name for of in (sexes, births) for name, values in of.items() if len(values) > 1})
