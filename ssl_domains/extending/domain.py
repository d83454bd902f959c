"""What a domain plugin declares: how its files are read, scaled, augmented and demonstrated."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ssl_domains.samples import Reader, SampleTable
    from ssl_domains.views import Scaling, ViewRecipe

__all__ = ["Domain", "RecipeRequest", "ScanOption"]

_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@dataclass(frozen=True)
class ScanOption:
    """One option of ``ssl-domains DOMAIN scan``, handed to the reader's ``scan`` by keyword.

    ``ScanOption("masks", Path, help="folder of label masks")`` becomes ``--masks PATH`` and
    ``reader.scan(source, masks=Path(...))``. An underscore in the name is a hyphen on the command line.

    Attributes:
        name: The keyword of ``reader.scan``.
        type: ``Path``, ``str``, ``int``, ``float`` or ``bool`` (a flag pair ``--name/--no-name``).
        default: Value when the option isn't given; None leaves the keyword out, so that the reader's own default holds.
        help: One line.
    """

    name: str
    type: type[Any] = str
    default: Any = None
    help: str = ""

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
    """What a domain needs to know when it declares its views.

    Attributes:
        table: The training rows; its columns say what is allowed (no horizontal flip where laterality is a column).
        size: Edge of the square canvas in pixels.
        views: Views of each sample.
        in_chans: Channels of the canvas.
        extra: Names of views beyond the domain's usual ones that the user or the pair sampler asked for
            (``"reprojection"``); a domain raises `UsageError` for a name it does not know.
    """

    table: SampleTable
    size: int
    views: int = 2
    in_chans: int = 3
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Domain:
    """A domain, as the hook ``ssl_domains_domains`` hands it over. Cheap to make; whatever is heavy hides in a factory.

    Attributes:
        name: Lower-case word, the command ``ssl-domains NAME``.
        summary: One line for lists.
        reader: Makes the reader (contract 1); called when a file has to be read, never for ``--help``.
        recipe: The views, each step with its reason.
        scaling: From native unit to [0, 1], given the table.
        canvas: How a sample of any shape becomes square: ``"stretch"`` it, or ``"fit"`` it with a validity mask.
        demo_data: ``demo_data(out, seed)`` writes a small data set in the domain's real file formats under ``out`` and
            returns the line to print, which names the next command.
        scan_options: Options of ``scan`` that only this domain has.
        floors: Name of a nuisance-only floor → the columns it may use, as ``{"position alone": ("position",)}``.
        handmade: Name of a hand-made feature → pictures float32 ``[n, C, S, S]`` in [0, 1] to features ``[n, F]``, as
            ``{"HOG": …}``; a floor that a linear probe reads like an encoder. Imports what is heavy when called.
        nuisance: Columns that shouldn't explain the pairs (scanner, camera); reported beside the label.
        default_encoder: Encoder when neither ``--encoder`` nor the configuration names one.
        default_size: Edge of the canvas in pixels when the configuration names none.
        group: Column usual for ``--split-by`` and ``probe --group``.
        in_chans: Channels of the canvas given the table; None takes those of the decoded arrays.
        thumbnail: What stands for a sample on pages, given its array in native unit and its row: uint8 ``[h, w, 1]`` or
            ``[h, w, 3]``, or text where there is nothing to see (`markupsafe.Markup` is taken as HTML). None scales the
            array and puts it on the canvas. It must not show an identifier.
    """

    name: str
    summary: str
    reader: Callable[[], Reader]
    recipe: Callable[[RecipeRequest], ViewRecipe]
    scaling: Callable[[SampleTable], Scaling]
    canvas: Literal["stretch", "fit"] = "stretch"
    demo_data: Callable[[Path, int], str] | None = None
    scan_options: tuple[ScanOption, ...] = ()
    floors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    handmade: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = field(default_factory=dict)
    nuisance: tuple[str, ...] = ()
    default_encoder: str = "resnet18"
    default_size: int = 64
    group: str | None = None
    in_chans: Callable[[SampleTable], int] | None = None
    thumbnail: Callable[[NDArray[Any], Mapping[str, Any]], NDArray[np.uint8] | str] | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError(f"a domain's name must be a lower-case word, not {self.name!r}")
