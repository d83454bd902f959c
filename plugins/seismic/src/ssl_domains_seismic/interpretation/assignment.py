"""Which survey a label file belongs to: the one that the user named, else the one that it fits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.samples import Problems, Unreadable, read_guarded
from ssl_domains_seismic.interpretation.label_files import LabelFile
from ssl_domains_seismic.interpretation.placing import PlacedFile
from ssl_domains_seismic.interpretation.surveys import SampledSurvey

__all__ = ["assigned"]

_MOST = 3  # surveys whose causes are shown


def assigned(
    file: LabelFile,
    surveys: Sequence[SampledSurvey],
    place: Callable[[LabelFile, SampledSurvey], PlacedFile],
    flag: str,
    problems: Problems,
) -> list[tuple[SampledSurvey, PlacedFile]]:
    """The survey of a file, with what it holds there; several only where they are stacks of one place.

    Of the surveys that the file fits it belongs to the one in which most of it lies. A file that fits none becomes a
    problem.

    Args:
        file: The file.
        surveys: The surveys of the scan.
        place: Reads the file by the grid of a survey; raises `ReadError` when it does not fit.
        flag: The option that named the file, for errors.
        problems: Takes a file that fits no survey.

    Raises:
        UsageError: When it fits surveys of different places equally, or there is no survey of the name that was given.
    """
    wanted = surveys if file.survey is None else _called(file.survey, surveys, flag)
    fitting: list[tuple[SampledSurvey, PlacedFile]] = []
    causes: list[tuple[str, str]] = []
    for survey in wanted:
        placed = read_guarded(lambda survey=survey: place(file, survey), file.path)  # type: ignore[misc]
        if isinstance(placed, Unreadable):
            causes.append((survey.name, placed.cause))
        else:
            fitting.append((survey, placed))
    if not fitting:
        problems.add(file.path, _cause(causes))
        return []
    most = max(placed.size for _, placed in fitting)
    best = [(survey, placed) for survey, placed in fitting if placed.size == most]
    if any(not survey.covers(best[0][0]) for survey, _ in best[1:]):
        raise _ambiguous(file.path, [survey.name for survey, _ in best], flag)
    return best


def _called(name: str, surveys: Sequence[SampledSurvey], flag: str) -> list[SampledSurvey]:
    named = [survey for survey in surveys if name in (survey.name, survey.path.name, survey.path.stem)]
    if len(named) != 1:
        known = [survey.name for survey in surveys]
        what = "several surveys are" if named else "no survey is"
        raise UsageError(f"{flag} {name}=…: {what} called {name!r}", did_you_mean(name, known))
    return named


def _cause(causes: Sequence[tuple[str, str]]) -> str:
    if not causes:
        return "there is no survey that it could label: a file that is given as labels is not sampled"
    if len(causes) == 1:
        return causes[0][1]
    shown = "; ".join(f"{name}: {cause}" for name, cause in causes[:_MOST])
    return f"it fits none of the {len(causes)} surveys: {shown}{'; …' if len(causes) > _MOST else ''}"


def _ambiguous(path: Path, names: Sequence[str], flag: str) -> UsageError:
    shown = ", ".join(names[:_MOST]) + (", …" if len(names) > _MOST else "")
    return UsageError(
        f"{flag}: {path.name!r} fits {len(names)} surveys equally: {shown}",
        f"say which: {flag} {names[0]}={path}; or scan the surveys one by one",
    )
