"""``ssl-domains seismic slice``: one time slice of a survey on the map, as a page."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ssl_domains.errors import UsageError
from ssl_domains.samples import SampleTable, read_noted_table, require_target, write_errors, write_whole
from ssl_domains.stores import ArrayStore, mask_names
from ssl_domains_seismic.labels.grid import UNLABELLED
from ssl_domains_seismic.slices.pictures import CLASS_COLOURS, amplitude_picture, class_picture
from ssl_domains_seismic.slices.plane import Plane
from ssl_domains_seismic.slices.survey_slice import SurveySlice, held_out_cells, outlines

__all__ = ["SliceRequest", "named_paths", "write_slice_page"]

Named = tuple[str, Path]
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class SliceRequest:
    """What a page shows.

    Attributes:
        samples: The sample table; of several surveys, the first is shown unless ``survey`` names another.
        vertical: Time of the slice in ms, or depth in metres; the nearest sample is shown.
        predictions: Name and file of volumes of class numbers, as `predict` writes them.
        runs: Name and folder of runs, whose features are compared.
        lines: Interpreted lines to draw, such as ``"il:300"``.
        survey: Name of the survey.
        title: Heading of the page.
    """

    samples: Path
    vertical: float
    predictions: tuple[Named, ...] = ()
    runs: tuple[Named, ...] = ()
    lines: tuple[str, ...] = ()
    survey: str | None = None
    title: str = "One time slice"


@dataclass(frozen=True)
class _Panel:
    """A map with its heading, and a line below it."""

    title: str
    uri: str
    below: str = ""
    features: str = ""
    width: int = 0


def write_slice_page(request: SliceRequest, out: Path, progress: Progress | None = None) -> list[str]:
    """Write the page and return what to say: a line for each prediction.

    Every prediction is compared with the labels of the table on the held-out samples of this slice, where there are
    any.

    Args:
        request: What it shows.
        out: The file, ``.html``.
        progress: Called with the name of a run, the samples done and all samples.

    Raises:
        UsageError: For a table without volumes, an unknown survey or line, a time outside of the survey, or a page that
            can't be written.
        DataError: When a file of predictions can't be read or has another grid, or no sample crosses the slice.
    """
    if out.suffix.lower() != ".html":
        raise UsageError(f"the page can't be {out.name!r}", f"-o {out.with_suffix('.html')}")
    require_target(out, inputs=[request.samples])
    table, _ = read_noted_table(request.samples)
    shown = SurveySlice.of(table, request.survey, request.vertical)
    plane = Plane(shown.shape, shown.fit)
    lines = [plane.polyline(shown.line(text)) for text in request.lines]
    names = _class_names(table)
    held = held_out_cells(shown)
    panels = [_Panel("Amplitudes", amplitude_picture(*shown.amplitudes(plane.every)), shown.where)]
    labels = shown.labels()
    if labels is not None:
        panels.append(_Panel("Interpretation", _classes(labels, plane, names), "what the table's labels say"))
    said = []
    for name, path in request.predictions:
        guess = shown.plane_of(path)
        below = _agreement(guess, labels, held)
        said.append(f"{name}: {below}")
        panels.append(_Panel(name, _classes(guess, plane, names), below))
    runs = [_compared(name, path, shown, plane, progress) for name, path in request.runs]
    text = _render(request, plane, panels, runs, lines, outlines(shown, plane), names)
    with write_errors(f"the page {str(out)!r}"):
        write_whole(out, lambda part: part.write_text(text, encoding="utf-8"))
    return said


def _class_names(table: SampleTable) -> dict[int, str]:
    """Names of the classes by number, in the order of the numbers."""
    return dict(sorted(mask_names(table).items()))


def _classes(classes: NDArray[np.generic], plane: Plane, names: dict[int, str]) -> str:
    numbers = tuple(names) or tuple(int(n) for n in np.unique(classes) if n != UNLABELLED)
    return class_picture(classes[:: plane.every, :: plane.every], numbers)


def _agreement(guess: NDArray[np.generic], labels: NDArray[np.uint8] | None, held: NDArray[np.bool_]) -> str:
    if labels is None:
        return "no labels to compare with"
    known = (labels != UNLABELLED) & held
    if not known.any():
        return "no labelled cell of this slice is held out"
    right = float((guess[known] == labels[known]).mean())
    return f"{100 * right:.1f} % of {int(known.sum()):,} held-out cells of this slice right"


def _compared(name: str, path: Path, shown: SurveySlice, plane: Plane, progress: Progress | None) -> _Panel:
    """The panel of a run: its features, of which the page computes similarities."""
    from ssl_domains.engine import Run
    from ssl_domains_seismic.slices.features import slice_features
    from ssl_domains_seismic.slices.samples import samples_on

    run = Run.open(path)
    part = samples_on(shown.rows, shown.sample, shown.places.shape, plane.every, run.crop)
    with tempfile.TemporaryDirectory() as folder:
        made = slice_features(
            run.encoder(), run.preprocess, part, _store(part, folder), shown.sample, shown.shape, every=plane.every,
            device=run.config.train.device, progress=None if progress is None else lambda d, n: progress(name, d, n),
        )  # fmt: skip
    packed = base64.b64encode(np.ascontiguousarray(made.vectors).tobytes()).decode("ascii")
    below = f"{made.vectors.shape[2]} components with {100 * made.kept:.0f} % of the variance"
    return _Panel(name, "", below, packed, int(made.vectors.shape[2]))


def _store(table: SampleTable, folder: str) -> ArrayStore:
    """A store of regions of a volume that is read in place: it copies nothing."""
    from ssl_domains_seismic.reader import SeismicReader

    return ArrayStore.fill(folder, table, SeismicReader())


def _render(
    request: SliceRequest,
    plane: Plane,
    panels: Sequence[_Panel],
    runs: Sequence[_Panel],
    lines: Sequence[str],
    blocks: Sequence[tuple[str, bool]],
    names: dict[int, str],
) -> str:
    from ssl_domains.reports.html_page import page_colours, page_templates

    environment = page_templates("ssl_domains_seismic.slices")
    legend = [(name, CLASS_COLOURS[place % len(CLASS_COLOURS)]) for place, name in enumerate(names.values())]
    below, left = plane.axes()
    return environment.get_template("slice.html.j2").render(
        title=request.title,
        colours=page_colours(),
        plane=plane,
        below=below,
        left=left,
        panels=panels,
        runs=runs,
        lines=lines,
        blocks=blocks,
        legend=legend,
    )


def named_paths(texts: Sequence[str], flag: str) -> tuple[Named, ...]:
    """Read ``NAME=PATH`` of an option that can be given several times; the name may hold ``=`` too.

    Raises:
        UsageError: For another form, or a path that isn't there.
    """
    out = []
    for text in texts:
        words = text.split("=")
        choices = [("=".join(words[:at]).strip(), "=".join(words[at:]).strip()) for at in range(1, len(words))]
        choices = [(name, path) for name, path in choices if name and path]
        if not choices:
            raise UsageError(f"{flag} {text!r} names no panel", f'write {flag} "SimCLR=PATH"')
        found = next(((name, Path(path)) for name, path in choices if Path(path).exists()), None)
        if found is None:
            raise UsageError(f"{flag}: there is no {choices[0][1]!r}", "give a file or folder that is there")
        out.append(found)
    return tuple(out)
