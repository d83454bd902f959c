"""A map of the embedding: points in two dimensions, thumbnails, and nearest neighbours of a few samples."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from ssl_domains.evaluation import embed
from ssl_domains.reports.colouring import Colouring, colourings
from ssl_domains.reports.thumbnails.captions import captions_of
from ssl_domains.reports.thumbnails.sounds import SampleSounds, Sound, sample_sounds
from ssl_domains.reports.thumbnails.sprite import Sprite, make_sprite
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["EmbeddingMap", "Neighbours", "embedding_map", "nearest", "project"]

Projection = Literal["tsne", "pca"]

_EDGE = 560
"""Side of the map's view box, in its units."""


@dataclass(frozen=True)
class Neighbours:
    """A sample and the samples most similar to it, as positions in the map, the nearest first."""

    query: int
    found: tuple[int, ...]


@dataclass(frozen=True)
class EmbeddingMap:
    """Data of the embedding map of a page.

    Attributes:
        how: Name of the projection, as text.
        xy: float64 ``[n, 2]``: points in the view box.
        samples: Sample ids ``[n]``.
        colourings: At least one; the page starts with the first.
        sprite: Thumbnails of the ``n`` samples, in the same order.
        neighbours: Nearest neighbours of a few samples.
        total: Number of embedded rows, of which ``n`` are on the map.
        sounds: Sounds of the samples of ``neighbours``, by position in the map.
        captions: Text of each of the ``n`` samples; empty for none.
        edge: Side of the view box.
    """

    how: str
    xy: NDArray[np.float64]
    samples: list[str]
    colourings: list[Colouring]
    sprite: Sprite
    neighbours: list[Neighbours]
    total: int
    sounds: SampleSounds = field(default_factory=SampleSounds)
    captions: list[str] = field(default_factory=list)
    edge: int = _EDGE


def embedding_map(
    run: Run,
    table: SampleTable,
    store: ArrayStore,
    shown: Iterable[str],
    grouping: Iterable[str],
    *,
    most: int = 1000,
    projection: Projection = "tsne",
    sound: Sound | None = None,
    caption: str | None = None,
) -> EmbeddingMap:
    """Embed the table, sample at most ``most`` rows at random with a fixed seed, project and colour them.

    Args:
        run: The run.
        table: The samples.
        store: Their arrays.
        shown: Columns whose values may be printed.
        grouping: Columns whose values are replaced by numbers; see `colourings`.
        most: Largest number of points on the map.
        projection: ``"tsne"``, or the first two principal components.
        sound: The function of the domain that makes a sample a wav file, to listen to neighbours; or None.
        caption: Column whose text stands under the neighbours; or None.
    """
    frame = embed(run, table, store)
    order = np.random.default_rng(0).permutation(len(frame))[:most]
    drawn = frame[np.sort(order)]
    part = SampleTable(
        drawn.select("sample").join(table.frame, on="sample", how="left", maintain_order="left"), table.meta
    )
    x = drawn["embedding"].to_numpy().astype(np.float64)
    xy, how = project(x, projection)
    colours = colourings(part, shown, grouping)
    if not colours:
        count = len(part)
        colours = [Colouring("samples", ["c0"] * count, [""] * count, [("c0", "sample")], False)]
    neighbours = nearest(x, queries=8, k=7)
    listed = [i for one in neighbours for i in (one.query, *one.found)]
    return EmbeddingMap(
        how=how,
        xy=_into_box(xy),
        samples=part.frame["sample"].to_list(),
        colourings=colours,
        sprite=make_sprite(part, store, run.preprocess, run.crop),
        neighbours=neighbours,
        total=len(frame),
        sounds=SampleSounds() if sound is None else sample_sounds(part, listed, store, sound),
        captions=captions_of(part, caption),
    )


def project(x: NDArray[np.float64], projection: Projection = "tsne") -> tuple[NDArray[np.float64], str]:
    """Project ``[n, F]`` to ``[n, 2]``, deterministically; returns the points and the name of the projection.

    t-SNE (van der Maaten & Hinton 2008) on at most 50 principal components; for fewer than 30 rows, the first two
    principal components.
    """
    dimensions = min(50, x.shape[1], len(x))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # constant features of a collapsed encoder
        reduced = PCA(dimensions, random_state=0).fit_transform(x - x.mean(axis=0))
    if projection == "pca" or len(x) < 30 or float(np.ptp(reduced)) == 0.0:
        flat = np.zeros((len(x), 2))
        flat[:, : min(2, dimensions)] = reduced[:, :2]
        return flat, "the first two principal components"
    perplexity = min(30.0, (len(x) - 1) / 3)
    # Half the usual iterations: at this size the picture no longer changes, and a report should take seconds.
    model = TSNE(2, perplexity=perplexity, init="pca", learning_rate="auto", max_iter=500, random_state=0)
    flat = model.fit_transform(reduced)
    return np.asarray(
        flat, dtype=np.float64
    ), f"t-SNE (perplexity {perplexity:.0f}) of {dimensions} principal components"


def nearest(x: NDArray[np.float64], queries: int, k: int) -> list[Neighbours]:
    """The ``k`` most similar rows, by cosine of centred features, of ``queries`` rows drawn with a fixed seed."""
    z = x - x.mean(axis=0)
    z = z / np.maximum(np.linalg.norm(z, axis=1, keepdims=True), 1e-12)
    out = []
    for query in np.random.default_rng(1).permutation(len(x))[:queries]:
        similar = z @ z[query]
        similar[query] = -np.inf
        neighbours = np.argsort(-similar, kind="stable")[: min(k, len(x) - 1)]
        out.append(Neighbours(int(query), tuple(int(i) for i in neighbours)))
    return out


def _into_box(xy: NDArray[np.float64], margin: float = 16.0) -> NDArray[np.float64]:
    low, high = xy.min(axis=0), xy.max(axis=0)
    span = np.where(high > low, high - low, 1.0)
    scaled = (xy - low) / span * (_EDGE - 2 * margin) + margin
    return np.asarray(np.round(np.where(high > low, scaled, _EDGE / 2), 1), dtype=np.float64)
