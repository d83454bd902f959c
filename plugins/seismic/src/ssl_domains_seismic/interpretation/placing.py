"""A label file on the grid of one survey."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from ssl_domains.samples import ReadError
from ssl_domains_seismic.interpretation.label_files import LabelFile
from ssl_domains_seismic.interpretation.sources import LabelSource, PartSource, SegySource, VolumeSource
from ssl_domains_seismic.interpretation.surveys import SampledSurvey
from ssl_domains_seismic.labels import (
    Horizon,
    PolygonLabels,
    mapped_label_volume,
    read_horizon,
    read_polygons,
    read_section,
)
from ssl_domains_seismic.survey import open_survey

__all__ = ["PlacedFile", "place_file"]


@dataclass(frozen=True)
class PlacedFile:
    """What a file holds for a survey: labels, or a horizon.

    Attributes:
        size: How much of it lies in the survey; compared between surveys for one file only.
        said: What was read, for the user; None when there is nothing to say.
        source: Its labels; None for a horizon.
        horizon: The horizon; None for labels.
    """

    size: int
    said: str | None = None
    source: LabelSource | None = None
    horizon: Horizon | None = None


def place_file(file: LabelFile, survey: SampledSurvey, words: Mapping[str, int] | None) -> PlacedFile:
    """Read a file by the grid of a survey.

    Args:
        file: The file.
        survey: The survey.
        words: Numbers of classes that polygons name by words; None when none do.

    Raises:
        ReadError: When it can't be read or does not fit; with the lengths or numbers of both.
    """
    grid = survey.grid
    if file.kind == "horizon":
        horizon = read_horizon(file.path, grid)
        return PlacedFile(horizon.picks, f"{horizon.sentence()}; {_columns(horizon)}", horizon=horizon)
    if file.kind == "polygons":
        polygons = read_polygons(file.path, grid, classes=words)
        part = PartSource(polygons.labels, grid.shape)
        return PlacedFile(part.size, _polygons(polygons), part)
    if file.kind == "segy":
        segy = _segy(file.path, survey)
        outside = f"{segy.outside:,} of its lines are not in the survey" if segy.outside else None
        return PlacedFile(segy.size, outside, segy)
    if file.kind == "volume":
        volume = VolumeSource(mapped_label_volume(file.path, grid))
        return PlacedFile(volume.size, None, volume)
    section = PartSource(read_section(file.path, grid), grid.shape)
    return PlacedFile(section.labels.values.size, None, section)


def _segy(path: Path, survey: SampledSurvey) -> SegySource:
    """A SEG-Y volume of class numbers; its words are chosen by its own headers, or as those of the survey were."""
    reading = replace(survey.reading, index=None)
    alone = replace(reading, samples_as=None)
    try:
        opened = open_survey(path, alone)
    except ReadError:
        if alone == reading:
            raise
        opened = open_survey(path, reading)
    step = 1.0 if opened.step is None else opened.step
    times = (opened.start + step * np.arange(opened.layout.samples)) / survey.vertical_unit
    return SegySource.of(opened, times, survey.grid)


def _columns(horizon: Horizon) -> str:
    """Which columns of its table were taken for what."""
    columns = horizon.columns
    pair = columns.lines if columns.lines is not None else columns.coordinates
    assert pair is not None
    words = "inline and crossline" if columns.lines is not None else "x and y"
    return f"columns {pair[0] + 1} and {pair[1] + 1} are {words}, column {columns.time + 1} the time"


def _polygons(polygons: PolygonLabels) -> str | None:
    counts = {
        "cells lie in polygons of several classes: unlabelled": polygons.contested,
        "polygons hold no cell of the survey": polygons.outside,
        "features are no polygons": polygons.others,
    }
    said = [f"{count:,} {what}" for what, count in counts.items() if count]
    return "; ".join([f"points are {polygons.axes.replace(',', ' and ')}", *said])
