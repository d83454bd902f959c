"""The declaration of a domain: how its files are read, turned into inputs of an encoder, and augmented.

A kind of data is a choice of four objects: preprocess, recipe, encoder and head. Square pictures have a short form, in
which ``scaling`` and ``canvas`` stand for the preprocess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray
    from pydantic import BaseModel

    from ssl_domains.audit import NearPicture, PlaceRegions
    from ssl_domains.inputs import InputSpec
    from ssl_domains.samples import MapPlan, Reader, SampleTable, TextPlan
    from ssl_domains.views import PreprocessSource, Recipe, Scaling

__all__ = ["Domain", "RecipeRequest", "ScanOption"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class ScanOption:
    """One option of ``ssl-domains DOMAIN scan``, passed to the reader's ``scan`` as a keyword argument.

    ``ScanOption("masks", Path, help="folder of label masks")`` becomes ``--masks PATH`` and
    ``reader.scan(source, masks=Path(...))``. An underscore in the name is a hyphen on the command line.

    Attributes:
        name: The keyword of ``reader.scan``.
        type: ``Path``, ``str``, ``int``, ``float`` or ``bool`` (a flag pair ``--name/--no-name``).
        default: Value when the option isn't given; with None the keyword is not passed, so that the reader's default is
            used.
        help: One line.
        many: Whether the option may be given several times; the reader gets a list.
        repeat: Whether `predict` scans new files with the value that the training table was scanned with. For options
            that decide what the array of a sample shows, such as the axis along which volumes are cut.
        predict: Value with which `predict` scans new files when the option isn't given there; None takes ``default``.
    """

    name: str
    type: type[Any] = str
    default: Any = None
    help: str = ""
    repeat: bool = False
    many: bool = False
    predict: Any = None

    def __post_init__(self) -> None:
        if not self.name.isidentifier():
            raise ValueError(f"a scan option's name must be an identifier, not {self.name!r}")
        if self.type not in (Path, str, int, float, bool):
            raise ValueError(f"scan option {self.name!r}: type must be Path, str, int, float or bool")

    @property
    def flag(self) -> str:
        """The option as written on the command line, such as ``--masks``."""
        return "--" + self.name.replace("_", "-")


@dataclass(frozen=True)
class RecipeRequest:
    """The input of a domain's ``recipe``: the training rows and the settings of the views.

    Attributes:
        table: The training rows. Their columns limit the views, such as no flip when laterality is a column.
        size: Edge of the square canvas in pixels; 0 for a domain that gives a ``preprocess``.
        views: Number of views of each sample.
        in_chans: Number of channels of the input.
        extra: Names of further views that the user or the pair sampler requests (``"reprojection"``). A domain raises
            `UsageError` for an unknown name.
        spec: Form of the input, for a domain that gives a ``preprocess``; else None.
        preprocess: What ``Domain.preprocess`` of such a domain returned: a preprocess, or its declaration; else None.
        crop: Side of the crops that the views show, in places of the array (``views.crop``); None for whole samples. A
            domain that draws crops gives its recipe a `ssl_domains.views.Crop`; for another one the setting is refused.
    """

    table: SampleTable
    size: int
    views: int = 2
    in_chans: int = 3
    extra: tuple[str, ...] = ()
    spec: InputSpec | None = None
    preprocess: PreprocessSource | None = None
    crop: int | None = None


@dataclass(frozen=True)
class Domain:
    """A domain, as the hook ``ssl_domains_domains`` returns it. Creating it must be fast: its functions import later.

    Attributes:
        name: Lower-case word, the command ``ssl-domains NAME``.
        summary: One line for lists.
        reader: Returns a new reader; called when a file has to be read, never for ``--help``.
        recipe: Returns the view recipe, each step with its reason.
        scaling: For pictures: returns the scaling from native unit to [0, 1] for a table.
        canvas: For pictures: how a sample of any shape is brought to the square canvas: ``"stretch"``, or ``"fit"``,
            which keeps the aspect ratio and masks the padding.
        preprocess: For every other kind of data, in the place of ``scaling`` and ``canvas``: returns, for a table, the
            preprocess from an array to the encoder's input, such as `ssl_domains.views.SignalPreprocess`; or a
            declaration with ``spec`` and ``fit(table, store)``, which is fitted on the training rows. With
            ``input_settings`` it is called with the table and the checked settings; call it by `preprocess_for`.
        input_settings: Returns the pydantic model of the settings of the inputs, such as the number of bands of a
            spectrogram. They are the section ``[input]`` of the configuration (``--set input.bands=40``), and are
            recorded with a run. Each field has a default and a description; None as a default stands for a value that
            follows from the table. Imports the model when it is called.
        preprocess_classes: Classes of the plugin's own preprocesses as ``"module:Class"``, each decorated with
            `ssl_domains.views.register_preprocess`. They are imported when a run folder names a preprocess that the
            core doesn't have.
        crop_classes: Classes of the plugin's own crops, likewise, each decorated with
            `ssl_domains.views.register_crop`.
        place_regions: For samples that are regions of arrays (column ``region``): gives the regions of several tables
            with common codes of arrays, `ssl_domains.samples.Regions`, so that arrays of several files which cover one
            place are one array to the audit of a split. None takes `ssl_domains.samples.regions_of`, to which every
            array is a place of its own.
        map_files: Plans the files that `predict` writes the masks of a table to: ``map_files(table, root)`` returns a
            `ssl_domains.samples.MapPlan`. None writes a PNG file for each sample, named like its source file.
        map_options: Options of ``predict`` that only the files of masks have. Those that are given are passed to
            ``map_files`` as keyword arguments.
        text_files: Plans the files, such as PAGE-XML, that `predict` puts the texts of a recogniser into:
            ``text_files(table, root)`` returns a `ssl_domains.samples.TextPlan`. None writes the table of texts alone.
        demo_data: ``demo_data(out, seed)`` writes a small data set in the domain's real file formats under ``out`` and
            returns the line to print, which names the next command.
        scan_options: Options of ``scan`` that only this domain has.
        extra_columns: Columns that a scan gives only with an option: name → the hint of the error for a rule that reads
            one which the table lacks, such as ``{"relative_to_horizon_ms": "scan with --horizon FILE"}``.
        floors: Name of a nuisance-only floor → the columns it may use, such as ``{"position alone": ("position",)}``.
        handmade: Name of a hand-made feature, such as ``"HOG"`` → function from inputs of the encoder, such as pictures
            float32 ``[n, C, S, S]`` in [0, 1], to features ``[n, F]``; inputs of differing length come one at a time. A
            linear probe on them is a floor. Heavy packages are imported when it is called.
        rankings: Name of a search without a training, such as ``"BM25"`` → function of the documents and the queries,
            each a `SampleTable`, that returns hits: a frame with ``query`` and ``document`` (samples) and ``score``. It
            is a floor of studies of rankings.
        files: Which files the reader reads, in words, such as ``"wav files (.wav)"``; part of the hint where a folder
            holds none of them.
        nuisance: Columns that should not explain the pairs (scanner, camera); reported beside the label.
        measured: Further nuisance values that no column has, measured on the samples: name → float64 ``[n]``, NaN where
            it was not measured. The command ``pairs`` compares positives with them.
        default_encoder: Encoder when neither ``--encoder`` nor the configuration names one.
        default_size: For pictures: edge of the canvas in pixels when the configuration names none.
        group: Usual column for ``--split-by`` and ``probe --group``.
        whole_groups: Columns of groups that are one recording, such as the source of several takes: the audit of a
            table that has such a column always demands that no split cuts them.
        coarser_groups: Columns of coarser groups, such as sites, which a split by a finer group may cut: the scan and
            the audit say so in a note.
        near_picture: Gives the picture ``[H, W]`` by which near duplicates are found, for an array and its row; None
            takes the array itself.
        in_chans: For pictures: returns the number of channels of the canvas for a table; None takes those of the
            decoded arrays.
        thumbnail: Returns the thumbnail of a sample for its array in native unit and its row: uint8 ``[h, w, 1]`` or
            ``[h, w, 3]``, or text for data without pictures (`markupsafe.Markup` is taken as HTML). None puts a picture
            on the canvas, and draws a signal ``[t]`` or ``[t, c]`` as lines. A thumbnail must not show an identifier.
        caption: Column whose text stands under the thumbnails of pair sheet and report, such as the transcript of a
            line; its values are printed, so it must not identify anybody.
        sound: Returns a sample, given like that of ``thumbnail``, as a short wav file of at most 400 kB, in bytes, for
            the players of pair sheet and report; or None for a sample that can't be played.

    Raises:
        ValueError: For another form of name, or unless exactly one of ``scaling`` and ``preprocess`` is given.
    """

    name: str
    summary: str
    reader: Callable[[], Reader]
    recipe: Callable[[RecipeRequest], Recipe]
    scaling: Callable[[SampleTable], Scaling] | None = None
    canvas: Literal["stretch", "fit"] = "stretch"
    demo_data: Callable[[Path, int], str] | None = None
    scan_options: tuple[ScanOption, ...] = ()
    extra_columns: Mapping[str, str] = field(default_factory=dict)
    floors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    handmade: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = field(default_factory=dict)
    rankings: Mapping[str, Callable[[SampleTable, SampleTable], pl.DataFrame]] = field(default_factory=dict)
    nuisance: tuple[str, ...] = ()
    default_encoder: str = "resnet18"
    default_size: int = 64
    group: str | None = None
    whole_groups: tuple[str, ...] = ()
    coarser_groups: tuple[str, ...] = ()
    near_picture: NearPicture | None = None
    in_chans: Callable[[SampleTable], int] | None = None
    thumbnail: Callable[[NDArray[Any], Mapping[str, Any]], NDArray[np.uint8] | str] | None = None
    caption: str | None = None
    sound: Callable[[NDArray[Any], Mapping[str, Any]], bytes | None] | None = None
    preprocess: Callable[..., PreprocessSource] | None = None
    preprocess_classes: tuple[str, ...] = ()
    crop_classes: tuple[str, ...] = ()
    map_files: Callable[..., MapPlan] | None = None
    map_options: tuple[ScanOption, ...] = ()
    text_files: Callable[[SampleTable, Path | None], TextPlan] | None = None
    files: str = ""
    place_regions: PlaceRegions | None = None
    measured: Callable[[SampleTable], Mapping[str, NDArray[np.float64]]] | None = None
    input_settings: Callable[[], type[BaseModel]] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a domain's name must be a lower-case word, not {self.name!r}")
        shared = {option.name for option in self.scan_options} & {option.name for option in self.map_options}
        if shared:
            raise ValueError(f"{min(shared)!r} is an option of the scan and of the files of masks: predict has both")
        if self.scaling is None and self.preprocess is None:
            raise ValueError(
                f"the domain {self.name!r} doesn't say how arrays become inputs: give scaling= for pictures, or "
                "preprocess= for another kind of data"
            )
        if self.scaling is not None and self.preprocess is not None:
            raise ValueError(
                f"the domain {self.name!r} gives both scaling= (for pictures) and preprocess=: leave one of them out"
            )
        if self.preprocess is None and self.input_settings is not None:
            raise ValueError(
                f"the domain {self.name!r} gives input_settings= without preprocess=, which would read them"
            )

    def preprocess_for(self, table: SampleTable, settings: Mapping[str, Any] | None = None) -> PreprocessSource | None:
        """The preprocess of a table, or its declaration; None for pictures.

        Args:
            table: The training rows.
            settings: Values of the section ``[input]`` that differ from the defaults, checked beforehand.
        """
        if self.preprocess is None:
            return None
        if self.input_settings is None:
            return self.preprocess(table)
        return self.preprocess(table, self.input_settings().model_validate(dict(settings or {})))
