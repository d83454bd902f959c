"""The words or lines of the IAM database, by its lists and the pictures that they name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, Unreadable, read_guarded
from ssl_domains.samples.encodings import decoded
from ssl_domains_text.lines.files.iam import IamEntry, looks_like_iam, read_iam, writers_of_forms
from ssl_domains_text.lines.files.text_file import read_text
from ssl_domains_text.lines.labels.text_beside import TEXT_BESIDE
from ssl_domains_text.lines.scanning.line import Line, Lines, unusable
from ssl_domains_text.lines.scanning.pictures import Pictures, headers_of, turned_note

__all__ = ["SEGMENTATIONS", "iam_lists", "lines_of_iam", "require_segmentation"]

SEGMENTATIONS = ("keep", "drop")
"""What is done with labels of wrongly segmented words: kept, or left out."""

_MARKED = "marked err (wrongly segmented)"
_FORMS = "forms.txt"
_HEAD = 1 << 16  # bytes; the comment lines of words.txt are 1 kB


def require_segmentation(segmentation: str) -> None:
    """Require one of `SEGMENTATIONS`, whatever the source is.

    Raises:
        UsageError: For another word.
    """
    if segmentation not in SEGMENTATIONS:
        raise UsageError(f"--segmentation {segmentation} is not known", did_you_mean(segmentation, SEGMENTATIONS))


def iam_lists(files: Sequence[Path]) -> list[Path]:
    """The lists of words or lines among some files, by their contents; lines come before words."""
    found = []
    for path in files:
        if path.suffix.lower() == ".txt" and not path.name.lower().endswith(TEXT_BESIDE):
            head = read_guarded(partial(_head, path), path)
            if not isinstance(head, Unreadable) and looks_like_iam(head):
                found.append(path)
    return sorted(found, key=lambda path: ("line" not in path.stem.lower(), str(path)))


def _head(path: Path) -> str:
    """The beginning of a text file; that of a large folder's files is read in no time."""
    with path.open("rb") as file:
        return decoded(file.read(_HEAD))[0]


def lines_of_iam(
    lists: Sequence[Path],
    files: Sequence[Path],
    name: Callable[[Path], str],
    segmentation: str,
    problems: Problems,
) -> Lines:
    """The entries of the first list whose pictures are there.

    Args:
        lists: Lists, those of lines first; see `iam_lists`.
        files: All files of the source.
        name: Gives the name of a file relative to the source.
        segmentation: One of `SEGMENTATIONS`: what is done with labels of entries that are marked ``err``.
        problems: Takes lines that can't be read, entries whose picture is missing or damaged, and further entries of
            an id, of which the first counts.
    """
    pictures = Pictures.among(files)
    by_list = []
    encodings: dict[Path, str | None] = {}
    for path in lists:
        # Stray bytes, zeros among them, cost their own entries only.
        read = read_guarded(lambda path=path: decoded(path.read_bytes()), path)  # type: ignore[misc]
        if isinstance(read, Unreadable):
            problems.add(path, read.cause)
            continue
        text, encodings[path] = read
        entries, faults = read_iam(text)
        if faults:
            shown = ", ".join(map(str, faults[:5])) + (", …" if len(faults) > 5 else "")
            problems.add(path, f"{plural(len(faults), 'line')} can't be read as an entry: {shown}")
        found = {entry.id: _picture(entry, pictures, path.parent) for entry in entries}
        by_list.append((path, entries, found))
    if not by_list:
        return Lines()
    chosen = next((one for one in by_list if any(isinstance(p, Path) for p in one[2].values())), by_list[0])
    path, entries, found = chosen
    entries = _once_each(path, entries, problems)
    written = f"; it is {encodings[path]} text" if encodings[path] else ""
    made = Lines(notes=[f"{path.name} is a list of IAM with {len(entries):,} entries{written}"])
    passed = [other.name for other in lists if other != path]
    if passed:
        made.notes.append(
            f"{', '.join(passed)} is passed over, as {path.name} is read; name another list as the source"
        )
    writers = _writers(files)
    if writers is None:
        made.notes.append(f"{_FORMS} is not here: writers are not known, page is the form")
    sizes = dict(headers_of([one for one in found.values() if isinstance(one, Path)], problems))
    made.notes += turned_note(header.orientation for header in sizes.values())
    errors = sum(entry.segmentation == "err" for entry in entries)
    if errors:
        done = "labels are kept" if segmentation == "keep" else "labels are left out"
        other = "drop leaves them out" if segmentation == "keep" else "keep keeps them"
        made.notes.append(
            f"{plural(errors, 'entry is', 'entries are')} marked err (wrongly segmented): {done} "
            f"(--segmentation {other})"
        )
    for entry in entries:
        picture = found[entry.id]
        if isinstance(picture, str):
            problems.add(f"{path}#{entry.id}", "an entry whose picture is not here")
        elif picture in sizes:
            bad = unusable(*sizes[picture].size)
            if bad:
                problems.add(picture, bad)
            else:
                made.lines.append(_line(entry, picture, name(picture), sizes[picture].size, segmentation, writers))
    return made


def _once_each(path: Path, entries: Sequence[IamEntry], problems: Problems) -> list[IamEntry]:
    """The first entry of each id."""
    first: dict[str, IamEntry] = {}
    for entry in entries:
        known = first.setdefault(entry.id, entry)
        if known is not entry:
            other = "" if known.text == entry.text else " with another text"
            problems.add(f"{path}#{entry.id}", f"a further entry of the same id{other}: the first counts")
    return list(first.values())


def _picture(entry: IamEntry, pictures: Pictures, folder: Path) -> Path | str:
    """The picture of an entry: the PNG file of its id, or a copy of it in another format."""
    named = pictures.named(f"{entry.id}.png", folder)
    return named if isinstance(named, Path) else pictures.of_stem(entry.id, folder) or named


def _line(
    entry: IamEntry,
    picture: Path,
    name: str,
    size: tuple[int, int],
    segmentation: str,
    writers: dict[str, str] | None,
) -> Line:
    facts: dict[str, str | None] = {"page": entry.form, "segmentation": entry.segmentation}
    if writers is not None:
        facts["writer"] = writers.get(entry.form)
    cause = _MARKED if entry.segmentation == "err" and segmentation == "drop" else ""
    return Line(str(picture), name, *size, entry.text, cause, facts=facts)


def _writers(files: Sequence[Path]) -> dict[str, str] | None:
    for path in files:
        if path.name.lower() == _FORMS:
            text = read_guarded(lambda path=path: read_text(path)[0], path)  # type: ignore[misc]
            if not isinstance(text, Unreadable):
                return writers_of_forms(text) or None
    return None
