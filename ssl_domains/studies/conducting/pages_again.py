"""Make the pages of a study anew from its stored cells: no data is read and nothing is trained."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from ssl_domains.errors import DataError, UsageError
from ssl_domains.studies.conducting.archives import archive_paths, read_archives, record_of
from ssl_domains.studies.conducting.pages import Written, write_pages
from ssl_domains.studies.conducting.preparation import contrast_spec
from ssl_domains.studies.design.study_file import StudyFile
from ssl_domains.studies.evidence.result import ContrastSpec, StudyResult
from ssl_domains.studies.measuring.run import Say

__all__ = ["pages_again"]


def pages_again(
    study: StudyFile, out: str | Path, *, command: str, say: Say, committed: str | Path | None = None
) -> Written:
    """Write result, report and page from stored cells.

    Title, description, command, margin and contrasts are those of the study file, which may have changed; everything
    else is as it was when the cells were run.

    Args:
        study: The study file.
        out: Folder of the study, or an empty one.
        command: The command line that is printed on the page.
        say: Called with one line of text for each step.
        committed: A file of cells beside the study file; the one in ``out`` has precedence.

    Raises:
        UsageError: When there is no file of cells, or a contrast names an arm that was not run.
        DataError: When the file is damaged, or the study was not finished.
    """
    out = Path(out)
    paths = archive_paths(out, study.name, None if committed is None else Path(committed))
    archives = read_archives(paths)
    if not archives:
        looked = " or ".join(repr(os.fspath(path)) for path in paths)
        raise UsageError(f"there are no stored cells in {looked}", "run the study without --again")
    # A run that was stopped leaves cells without a description; an earlier, finished file may stand beside it.
    path = next((one for one, archive in archives.items() if archive.study), next(iter(archives)))
    record = record_of(archives[path], path)
    names = [arm.name for arm in record.result.arms]
    entries = (study.primary, *study.secondary)
    primary, *further = (
        contrast_spec(entry, record.result.task, names, masks="dense" in study.probes) for entry in entries
    )
    arms = tuple(replace(arm, primary=arm.name in (primary.a, primary.b)) for arm in record.result.arms)
    result = replace(
        record.result, title=study.title, about=study.about, command=command, arms=arms, primary=primary,
        probe=primary.probe, measure=primary.measure, margin=study.margin,
        kept_beside=study.kept_beside,
    )  # fmt: skip
    record = replace(record, result=result, further=tuple(further))
    try:
        _require_measured(record.complete(archives[path].cells), (primary, *further), path)
    except KeyError as error:
        raise DataError(
            f"the cells {str(path)!r} have an unknown arm {error}", "run the study without --again"
        ) from error
    say(f"{study.name}: {len(archives[path].cells)} stored cells of {str(path)!r}; nothing is trained")
    return write_pages(record, archives[path].cells, out, say)


def _require_measured(result: StudyResult, contrasts: tuple[ContrastSpec, ...], path: Path) -> None:
    """Check that both sides of the contrasts of the study file were measured.

    Raises:
        UsageError: When one was not.
    """
    for spec in contrasts:
        for arm in (spec.a, spec.b):
            score = result.score(arm, spec.probe, spec.fraction)
            if score is None or spec.measure not in score.evidence:
                raise UsageError(
                    f"the cells {str(path)!r} have no {spec.measure} of {arm!r} with the {spec.probe} probe at "
                    f"{spec.fraction:g} of the labels",
                    "run the study without --again",
                )
