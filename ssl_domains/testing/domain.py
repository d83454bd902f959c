"""Checks a domain on its demo data: scan, columns, views and thumbnails."""

from __future__ import annotations

import dataclasses
import hashlib
import inspect
import json
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from ssl_domains.extending import Domain, RecipeRequest
from ssl_domains.inputs import Input
from ssl_domains.samples import SampleTable, regions_of
from ssl_domains.stores import ArrayStore
from ssl_domains.testing.finish import check_finish, check_finite
from ssl_domains.testing.map_files import check_map_files
from ssl_domains.testing.reader import check_reader
from ssl_domains.testing.recipe import check_recipe
from ssl_domains.testing.text_files import check_text_files
from ssl_domains.views import (
    Canvas,
    ImagePreprocess,
    InputDataset,
    MapPreprocess,
    Preprocess,
    PreprocessToFit,
    crop_of,
    fitted_preprocess,
    loaded_spec,
    map_planes,
    preprocess_from_dict,
    preprocess_to_dict,
)
from ssl_domains.views.sample_inputs import SampleInputs

__all__ = ["check_domain"]

_SIZE = 32  # side of the canvas of pictures that views are checked on
_FEW = 8  # samples whose views are made


def check_domain(domain: Domain, folder: str | Path | None = None) -> SampleTable:
    """Check a domain and its reader on its demo data.

    Args:
        domain: The domain; it must have demo data.
        folder: An empty folder to work in, such as pytest's ``tmp_path``; None takes a temporary one.

    Returns:
        The samples of the demo data, for `check_pair_sampler`. Their files are gone when ``folder`` is None.

    Raises:
        AssertionError: When the domain breaks the contract; the message says where.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as temporary:
            return check_domain(domain, Path(temporary))
    folder = Path(folder)
    assert dataclasses.is_dataclass(domain)
    assert domain.summary.strip(), "the summary says what the domain reads"
    assert "\n" not in domain.summary, "the summary is one line"
    assert domain.demo_data is not None, "a domain has demo data, so that anybody can try it without theirs"
    data = folder / "data"
    message = domain.demo_data(data, 0)
    assert f"ssl-domains {domain.name}" in message, "demo_data tells the next command"
    assert _digest(data), "demo_data writes files under the folder it is given"
    domain.demo_data(folder / "again", 0)
    assert _digest(folder / "again") == _digest(data), "the same seed gives the same bytes"
    domain.demo_data(folder / "other", 1)
    assert _digest(folder / "other") != _digest(data), "another seed gives other data"

    reader = domain.reader()
    _check_options(domain)
    scanned = check_reader(reader, data)
    assert len(scanned.problems), "demo data has planted faults, which the scan reports"
    table = scanned.samples
    _check_columns(domain, table)
    store = ArrayStore.fill(folder / "store", table, reader)
    preprocess = _check_views(domain, table, store)
    _check_thumbnail(domain, table, store)
    check_map_files(domain, table, store, preprocess, data, folder / "masks")
    check_text_files(domain, table, store, data, folder / "texts")
    _check_regions(domain, table)
    _check_measured(domain, table)
    return replace(table, meta=replace(table.meta, domain=domain.name))


def _check_options(domain: Domain) -> None:
    accepted = inspect.signature(domain.reader().scan).parameters
    if any(p.kind is p.VAR_KEYWORD for p in accepted.values()):
        return
    for option in domain.scan_options:
        assert option.name in accepted, f"the reader's scan takes no {option.name!r}, which {option.flag} hands over"
        assert option.help.strip(), f"{option.flag} says what it does"


def _check_columns(domain: Domain, table: SampleTable) -> None:
    named = {*domain.nuisance, *(name for columns in domain.floors.values() for name in columns)}
    if domain.group is not None:
        named.add(domain.group)
    missing = sorted(named - set(table.columns))
    assert not missing, f"the demo data has no column {missing[0]!r}, which group, nuisance or floors name"
    if domain.group is not None:
        assert table.column(domain.group).drop_nulls().n_unique() > 1, "the usual group has more than one value"


def _check_regions(domain: Domain, table: SampleTable) -> None:
    if domain.place_regions is None:
        return
    half = len(table) // 2
    parts = [table.take(np.arange(half)), table.take(np.arange(half, len(table)))]
    placed, own = domain.place_regions(parts), regions_of(parts)
    assert placed is not None, "place_regions gives the regions of a table that has them"
    assert own is not None, "place_regions is for tables whose samples are regions (columns array and region)"
    assert [len(one) for one in placed] == [len(part) for part in parts], "place_regions gives one region a row"
    for mine, plain in zip(placed, own, strict=True):
        assert ((mine.arrays >= 0) == (plain.arrays >= 0)).all(), "place_regions knows the rows whose region is known"
        assert (mine.stops > mine.starts)[mine.arrays >= 0].all(), "a placed region is not empty"


def _check_measured(domain: Domain, table: SampleTable) -> None:
    for name, values in {} if domain.measured is None else domain.measured(table).items():
        shape = np.shape(values)
        assert shape == (len(table),), f"measured gives one value a row, and {name!r} has the shape {shape}"
        assert np.isfinite(np.asarray(values, dtype=np.float64)).any(), f"{name!r} is measured on some rows"


def _check_views(domain: Domain, table: SampleTable, store: ArrayStore) -> Preprocess:
    """Check the views of some samples, and return the fitted preprocess."""
    decoded = table.take(store.of(table).decoded)
    assert len(decoded), "the demo data can be decoded"
    size = 0 if domain.scaling is None else _SIZE
    preprocess = _picture_preprocess(domain, decoded, store) or _declared_preprocess(domain, decoded, store)
    _check_label_maps(preprocess, decoded, store)
    spec = preprocess.spec
    some = decoded.take(np.arange(min(_FEW, len(decoded))))
    request = RecipeRequest(decoded, size, 2, spec.channels, spec=None if size else spec)
    recipe = domain.recipe(request if size else replace(request, preprocess=domain.preprocess_for(decoded)))
    crop = crop_of(recipe)
    x = InputDataset(some, store, preprocess, crop=crop).__getitems__(range(len(some)))["input"]
    _check_many(preprocess, some, store)
    form = loaded_spec(preprocess)
    x = x.unit() if form.dtype == "float32" else x
    form.input(x.values, x.valid)  # raises when the values have another form than the spec
    check_finite(x)
    if hasattr(preprocess, "finish"):
        check_finish(preprocess, x)
    if size:
        assert 0 <= float(x.values.min()) <= float(x.values.max()) <= 1, "scaling maps to [0, 1]"
    described = recipe.to_dict()
    assert described.get("steps"), "a recipe has steps"
    for step in described["steps"]:
        assert str(step.get("reason", "")).strip(), f"the view {step['name']!r} says its reason"
    of_crop = () if crop is None else crop.emitted
    columns = {name: torch.from_numpy(some.numbers(name)) for name in recipe.columns if name not in of_crop}
    for name in () if crop is None else crop.columns:
        decoded.numbers(name)
    columns.update((name, torch.zeros(len(some), dtype=torch.float64)) for name in of_crop)
    if len(some) >= 3:
        check_recipe(recipe, x, columns=columns)
    return preprocess


def _check_many(preprocess: Preprocess, some: SampleTable, store: ArrayStore) -> None:
    """Check that a batch which is made at once holds the bits of its samples made one by one."""
    assert hasattr(preprocess, "many") == hasattr(preprocess, "takes_many"), "`many` and `takes_many` come together"
    made = SampleInputs(some, store, preprocess)
    of_shape: dict[tuple[int, ...], list[int]] = {}
    for row in range(len(some)):
        of_shape.setdefault(made.shape(row), []).append(row)
    for shape, rows in of_shape.items():
        if not hasattr(preprocess, "takes_many") or not preprocess.takes_many(shape):
            continue
        at_once, alone = made.together(rows)[0], Input.cat([made(row)[0] for row in rows])
        assert at_once.values.dtype == alone.values.dtype, "`many` gives the type that samples have one by one"
        assert torch.equal(at_once.values, alone.values), "`many` gives the bits that samples have one by one"
        assert torch.equal(at_once.with_valid(), alone.with_valid()), "`many` gives the validity of each sample"
    if hasattr(preprocess, "longest"):
        lengths = [made(row)[0].space for row in range(len(some))]
        assert max(lengths) <= (preprocess.longest,), "`longest` is the largest length of an input"
        assert not made.may_mask, "inputs of a preprocess with `longest` have no mask"
    if hasattr(preprocess, "joined"):
        together, alone = made.together(range(len(some)))[0], Input.cat([made(row)[0] for row in range(len(some))])
        assert together.values.dtype == alone.values.dtype, "`joined` gives the type that samples have one by one"
        assert torch.equal(together.values, alone.values), "`joined` gives the bits that samples have one by one"
        assert torch.equal(together.with_valid(), alone.with_valid()), "`joined` gives the validity of each sample"


def _picture_preprocess(domain: Domain, decoded: SampleTable, store: ArrayStore) -> ImagePreprocess | None:
    """The preprocess of a domain of pictures, fitted; None for a domain that gives its own."""
    if domain.scaling is None:
        return None
    channels = max(store.of(decoded).channels())
    in_chans = domain.in_chans(decoded) if domain.in_chans is not None else channels
    return ImagePreprocess(domain.scaling(decoded).fit(decoded, store), Canvas(_SIZE, domain.canvas), in_chans)


def _declared_preprocess(domain: Domain, decoded: SampleTable, store: ArrayStore) -> Preprocess:
    """The preprocess that a domain gives, fitted and checked."""
    assert domain.preprocess is not None
    source = domain.preprocess_for(decoded)
    assert isinstance(source, Preprocess | PreprocessToFit), (
        f"preprocess returns a Preprocess or a declaration with `spec` and `fit`, not {type(source).__name__}"
    )
    preprocess = fitted_preprocess(source, decoded, store)
    assert preprocess.spec == source.spec, f"fitting changes the spec from {source.spec} to {preprocess.spec}"
    for name in preprocess.columns:
        decoded.column(name)
    if hasattr(preprocess, "require"):
        preprocess.require(decoded, store)
    written = json.loads(json.dumps(preprocess_to_dict(preprocess)))
    assert preprocess_to_dict(preprocess_from_dict(written)) == written, "a preprocess read back is the same"
    return preprocess


def _check_label_maps(preprocess: Preprocess, decoded: SampleTable, store: ArrayStore) -> None:
    if not isinstance(preprocess, MapPreprocess):
        return
    size = preprocess.canvas.size
    assert preprocess.spec.space == (size, size), "label maps lie on the canvas of the pictures"
    shapes = store.of(decoded).shapes()
    axes = map_planes(preprocess, decoded, shapes)
    assert ((axes >= 0) & (axes < shapes.shape[1])).all(), "map_axes gives axes of the array"
    assert (axes[:, 0] != axes[:, 1]).all(), "rows and columns of a label map are two axes of the array"


def _check_thumbnail(domain: Domain, table: SampleTable, store: ArrayStore) -> None:
    if domain.thumbnail is None:
        return
    samples = store.of(table)
    first = int(np.flatnonzero(samples.decoded)[0])
    row = table.frame.row(first, named=True)
    made = domain.thumbnail(samples[first], row)
    if isinstance(made, str):
        assert str(row["path"]) not in made, "a thumbnail shows no path"
        return
    drawn = f"{made.dtype} {list(made.shape)}"
    assert made.dtype == np.uint8, f"a thumbnail is uint8 [h, w, 1 or 3] or text, not {drawn}"
    assert made.ndim == 3, f"a thumbnail is [h, w, 1 or 3], not {drawn}"
    assert made.shape[2] in (1, 3), f"a thumbnail is [h, w, 1 or 3], not {drawn}"
    assert made.size, f"a thumbnail has pixels, not {drawn}"


def _digest(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
