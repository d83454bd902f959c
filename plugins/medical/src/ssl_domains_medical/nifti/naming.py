"""What file names of NIfTI volumes say: whose they are, which channel they hold, and which are masks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from ssl_domains_medical.nifti.volumes import stem_of

__all__ = ["Channels", "Subject", "channels_of_cases", "mask_word", "masks_beside_images", "subjects_of"]

_MASKS = frozenset({
    "seg", "segm", "segmentation", "segmentations", "dseg", "probseg", "label", "labels", "labelmap", "mask",
    "masks", "msk", "gt", "groundtruth", "roi",
})  # fmt: skip
_SEQUENCES = frozenset({
    "t1", "t1w", "t1c", "t1ce", "t1gd", "t1n", "t1map", "t2", "t2w", "t2f", "t2map", "t2star", "pd", "pdw",
    "flair", "dwi", "adc", "swi", "bold", "asl", "dce", "mr", "mri", "ct", "cta", "pet", "suv", "image", "img",
    "vol", "volume", "scan", "brain", "4d", "anat", "func",
})  # fmt: skip
_PART = re.compile(r"(frame|phase|time|tp|echo|run|slice|visit|ses|scan|followup|baseline)\d*")
_FOLDERS = frozenset({
    "anat", "func", "dwi", "fmap", "perf", "pet", "images", "imagestr", "imagests", "imagesval", "labels",
    "derivatives",
})  # fmt: skip
_CHANNEL = re.compile(r"(.+)_(\d{4})")
_SUBJECT = re.compile(r"(?:^|[_/])(sub-[A-Za-z0-9]+)")
_SESSION = re.compile(r"(?:^|[_/])(ses-[A-Za-z0-9]+)")
_MOST_CHANNELS = 16
_MOST_OF_ONE_CASE = 8


@dataclass(frozen=True)
class Subject:
    """Whose volume a file is, by its name.

    Attributes:
        patient: BIDS label such as ``sub-01``, else the leading case name, else the name of the file's folder.
        session: BIDS labels such as ``sub-01_ses-02``; None without a session.
    """

    patient: str
    session: str | None = None


@dataclass(frozen=True)
class Channels:
    """Files that hold the channels of one case.

    Attributes:
        case: The file name without the number of the channel.
        numbers: The numbers of four digits, ascending, with the position of each one's file.
    """

    case: str
    numbers: Mapping[str, int]


def mask_word(name: str) -> tuple[str, str] | None:
    """The name before a closing mask word, and that word: ``("a", "seg")`` for ``a_seg``; None when there is none.

    A name that is nothing but the word has an empty part before it. A number may follow the word, as in ``a_mask_1``.
    """
    found = re.fullmatch(r"(?:(.*?)[_\-. ]+)?([A-Za-z]+)[_\-. ]?\d*", name)
    if found is None or found[2].lower() not in _MASKS:
        return None
    return found[1] or "", found[2]


def masks_beside_images(files: Sequence[PurePosixPath], stems: Sequence[str]) -> list[int]:
    """Positions of files that are masks: their names close with a mask word, and their image lies beside them.

    The image of ``a_seg`` is a file of the same folder named ``a``, or ``a_`` and more that is no mask; that of a file
    named ``seg`` is any image of its folder. In a BIDS dataset, the image of a mask is any image of the same subject.

    Args:
        files: Paths below the scanned folder.
        stems: Their names without suffix.
    """
    words = [mask_word(stem) for stem in stems]
    beside: defaultdict[PurePosixPath, set[str]] = defaultdict(set)
    subjects = set()
    for file, stem, word in zip(files, stems, words, strict=True):
        if word is None:
            # Every beginning of the name that a mask may have: a_b_t1 is the image of a_seg and of a_b_seg.
            parts = re.split(r"([_\-. ]+)", stem)
            beside[file.parent].update("".join(parts[:stop]) for stop in range(1, len(parts) + 1, 2))
            beside[file.parent].add("")
            subjects.add(_label(_SUBJECT, file))
    masks = []
    for position, (file, word) in enumerate(zip(files, words, strict=True)):
        if word is None:
            continue
        subject = _label(_SUBJECT, file)
        if word[0] in beside[file.parent] or (subject is not None and subject in subjects):
            masks.append(position)
    return masks


def channels_of_cases(files: Sequence[PurePosixPath], declared: Sequence[PurePosixPath] = ()) -> list[Channels]:
    """Cases whose channels are files ``CASE_0000``, ``CASE_0001`` …, as nnU-Net names them.

    Files that are merely numbered look alike, so there must be evidence: the folder is one of nnU-Net (``imagesTr``,
    ``imagesTs``) or is declared; or several cases of it have channels numbered alike; or its only case has few.

    Args:
        files: Paths below the scanned folder.
        declared: Folders that a ``dataset.json`` says to hold channels.
    """
    cases: defaultdict[tuple[PurePosixPath, str], dict[str, int]] = defaultdict(dict)
    for position, file in enumerate(files):
        found = _CHANNEL.fullmatch(stem_of(file))
        if found is not None and int(found[2]) < _MOST_CHANNELS:
            cases[file.parent, found[1]][found[2]] = position
    by_folder: defaultdict[PurePosixPath, list[tuple[str, dict[str, int]]]] = defaultdict(list)
    for (folder, case), numbers in cases.items():
        by_folder[folder].append((case, dict(sorted(numbers.items()))))
    numbered: Counter[tuple[PurePosixPath, str]] = Counter()
    for file in files:
        found = _CHANNEL.fullmatch(stem_of(file))
        if found is not None:
            numbered[file.parent, found[1]] += 1
    made = []
    for folder, of_folder in by_folder.items():
        certain = folder.name.lower() in ("imagestr", "imagests", "imagesval") or folder in declared
        # A case with more files than channels is a series of numbered files.
        usable = [(case, numbers) for case, numbers in of_folder if numbered[folder, case] == len(numbers)]
        sets = Counter(tuple(numbers) for _, numbers in usable if "0000" in numbers and len(numbers) > 1)
        alike = max(sets.values(), default=0) > 1
        lone = len(usable) == 1 and bool(sets) and len(usable[0][1]) <= _MOST_OF_ONE_CASE
        if certain or alike or lone:
            made += [Channels(case, numbers) for case, numbers in usable]
    return made


def subjects_of(files: Sequence[PurePosixPath], cases: Mapping[int, str]) -> list[Subject]:
    """The patient and the session of each file.

    Args:
        files: Paths below the scanned folder.
        cases: Position of a file → its case, where that is known from its channels.
    """
    names = [cases.get(position) or _case_name(stem_of(file)) for position, file in enumerate(files)]
    folders: defaultdict[str, set[PurePosixPath]] = defaultdict(set)
    for file, name in zip(files, names, strict=True):
        if name:
            folders[name].add(file.parent)
    repeated = {name for name, places in folders.items() if len(places) > 1}
    places = {place for name in repeated for place in folders[name]}
    # p1/brain, p2/brain …: the folder names the patient. t1/case1, t2/case1 …: the file does.
    by_folder = repeated if len(repeated) < len(places) and len(repeated) * 2 <= len(places) else set()
    made = []
    for position, (file, name) in enumerate(zip(files, names, strict=True)):
        subject, session = _label(_SUBJECT, file), _label(_SESSION, file)
        if subject is not None:
            made.append(Subject(subject, None if session is None else f"{subject}_{session}"))
        elif (not name or name in by_folder) and position not in cases:
            made.append(Subject(_folder_name(file) or name or stem_of(file)))
        else:
            made.append(Subject(name or stem_of(file)))
    return made


def _label(pattern: re.Pattern[str], file: PurePosixPath) -> str | None:
    found = pattern.findall(str(file))
    return found[-1] if found else None


def _case_name(stem: str) -> str:
    """The stem without closing words for a mask, a sequence or a part: ``a_1`` for ``a_1_t1`` and ``a_1_frame01``."""
    parts = re.split(r"([_\-. ]+)", stem)
    while parts and _says_no_case(parts[-1].lower()):
        parts = parts[:-2]
    return "".join(parts)


def _says_no_case(word: str) -> bool:
    return word in _SEQUENCES or word in _MASKS or _PART.fullmatch(word) is not None or word == ""


def _folder_name(file: PurePosixPath) -> str:
    names = [part for part in file.parent.parts if part.lower() not in _FOLDERS]
    return names[-1] if names else ""
