"""The lines of pages: PAGE-XML and ALTO files, each with the picture of its page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from ssl_domains.quantities import plural
from ssl_domains.samples import Problems, Unreadable, each_file, read_guarded
from ssl_domains_text.lines.files.alto import read_alto
from ssl_domains_text.lines.files.page_lines import PageLines
from ssl_domains_text.lines.files.page_xml import read_page_xml
from ssl_domains_text.lines.files.xml_tree import root_name
from ssl_domains_text.lines.scanning.line import Line, Lines
from ssl_domains_text.lines.scanning.line_box import OUTSIDE, line_box
from ssl_domains_text.lines.scanning.page_fit import PageFit, page_fit
from ssl_domains_text.lines.scanning.pictures import Pictures, headers_of, turned_note
from ssl_domains_text.lines.scanning.sample_names import unique_names

__all__ = ["lines_of_pages", "page_files"]

_READERS = {"PcGts": read_page_xml, "alto": read_alto, "ALTO": read_alto}


def page_files(files: Sequence[Path]) -> list[Path]:
    """The PAGE-XML and ALTO files among some files, by their first element; PAGE-XML first."""
    roots = {}
    for path in files:
        if path.suffix.lower() == ".xml":
            root = read_guarded(lambda path=path: root_name(path), path)  # type: ignore[misc]
            if not isinstance(root, Unreadable) and root in _READERS:
                roots[path] = root
    return sorted(roots, key=lambda path: roots[path] != "PcGts")


def lines_of_pages(
    pages: Sequence[Path], files: Sequence[Path], name: Callable[[Path], str], problems: Problems
) -> Lines:
    """The lines of pages; each is cut out of its page by its outline when it is decoded.

    Args:
        pages: XML files, those first that count where two of them are of one picture; see `page_files`.
        files: All files of the source.
        name: Gives the name of a file relative to the source.
        problems: Takes pages without a picture, and lines that can't be cut. The line ``l1`` is written as
            ``page.xml#l1``.
    """
    pictures = Pictures.among(files)
    made, kinds = Lines(), Counter[str]()
    found: list[tuple[Path, PageLines, Path]] = []
    taken: dict[Path, Path] = {}
    for path, value in each_file(pages, lambda path: _READERS[root_name(path)](path), problems, "pages"):
        page = PageLines.of_json(value)
        picture = pictures.named(page.picture, path.parent) if page.picture else "no picture is named"
        if isinstance(picture, str):
            picture = pictures.of_stem(path.stem, path.parent) or picture
        if isinstance(picture, str):
            problems.add(path, f"a page with {plural(len(page.lines), 'line')}: {_without_names(picture)}")
        elif picture in taken:
            problems.add(path, "the lines of its picture are read from another file")
        else:
            taken[picture] = path
            found.append((path, page, picture))
            kinds[page.form] += 1
            if page.other_pages:
                problems.add(path, f"{plural(page.other_pages, 'further page')} in the file: only the first is read")
    sizes = dict(headers_of(list(taken), problems))
    resized = clipped = 0
    turned, as_stored = list[int](), 0
    for path, page, picture in found:
        if picture not in sizes:
            continue
        fit = page_fit(page, sizes[picture])
        if isinstance(fit, str):
            problems.add(path, fit)
            continue
        resized += fit.scale != (1.0, 1.0)
        as_stored += fit.as_stored
        turned += [] if fit.as_stored else [sizes[picture].orientation]
        lines, beyond = _lines(path, page, picture, fit, name, problems)
        made.lines += lines
        clipped += beyond
    if kinds:
        listed = ", ".join(f"{count:,} of {form}" for form, count in sorted(kinds.items()))
        made.notes.append(
            f"pages: {listed}; each line is cut out by its outline, and what lies around it becomes paper"
        )
    if resized:
        made.notes.append(
            f"{plural(resized, 'page has', 'pages have')} another unit or size than its picture: scaled to it"
        )
    made.notes += turned_note(turned)
    if as_stored:
        made.notes.append(
            f"{plural(as_stored, 'page was', 'pages were')} drawn on the picture as it is stored, against its "
            "orientation tag (EXIF): not turned"
        )
    if clipped:
        made.notes.append(f"{plural(clipped, 'line reaches', 'lines reach')} beyond an edge of the picture: cut there")
    joined = sum(line.words for _, page, _ in found for line in page.lines)
    if joined:
        made.notes.append(
            f"{plural(joined, 'line has', 'lines have')} no text of their own: that of their words is joined"
        )
    return made


def _lines(
    path: Path,
    page: PageLines,
    picture: Path,
    fit: PageFit,
    name: Callable[[Path], str],
    problems: Problems,
) -> tuple[list[Line], int]:
    """The lines of a page that can be cut, and how many of them reach beyond an edge of the picture."""
    made, clipped = [], 0
    relative = name(path)
    folder = relative.rpartition("/")[0]
    facts: dict[str, str | None] = {"page": relative.rpartition(".")[0]}
    book = folder.removesuffix("/page").removesuffix("/alto")
    if book and book not in ("page", "alto"):
        facts["book"] = book
    # Ids should be unique; sample ids must be.
    identifiers = unique_names([line.id or f"line{number}" for number, line in enumerate(page.lines, 1)])
    for identifier, line in zip(identifiers, page.lines, strict=True):
        box = line_box(line.points, fit.size, fit.scale)
        if isinstance(box, str):
            problems.add(f"{path}#{identifier}", box)
            continue
        clipped += box.clipped
        cause = OUTSIDE if box.outside and line.text is not None else ""
        sample = f"{relative}:{identifier}"
        made.append(
            Line(
                str(picture), sample, box.width, box.height, line.text, cause,
                outline=box.outline, orientation=int(fit.as_stored), facts=facts,
            )
        )  # fmt: skip
    return made, clipped


def _without_names(cause: str) -> str:
    return "its picture is not here" if "not here" in cause else cause
