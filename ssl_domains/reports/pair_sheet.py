"""The pair sheet: a self-contained HTML page with pictures of the pairs of a rule, to check them before training."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ssl_domains.pairs import PairsReport
from ssl_domains.pairs.inspection.advice import Advice
from ssl_domains.pairs.inspection.nuisance import FEW_GROUPS, LABEL_REMARK
from ssl_domains.pairs.inspection.reasons import PairReasons, PairState
from ssl_domains.pairs.inspection.shown import coded_columns
from ssl_domains.pairs.rules.words import measured_columns, objective_words
from ssl_domains.reports.bars import histogram, share_bar
from ssl_domains.reports.html_page import page_templates
from ssl_domains.reports.pair_numbers import sheet_facts
from ssl_domains.reports.pair_sheet_choice import Anchor, Choice, choose, hardest
from ssl_domains.reports.sample_pictures import Encode, Picture, SamplePictures, Thumbnail, picture_samples
from ssl_domains.reports.thumbnails.captions import captions_of
from ssl_domains.reports.thumbnails.sounds import Sound, shown_sounds
from ssl_domains.samples import Reader, require_target, write_errors, write_whole
from ssl_domains.stores import ArrayStore
from ssl_domains.views import Scaling

if TYPE_CHECKING:
    from ssl_domains.engine.loop.pair_plan import PairPlan

__all__ = ["Pictured", "write_pair_sheet"]

_POSITIVES, _NEGATIVES, _IGNORED = 4, 5, 3
_POOL, _STORED_POOL = 256, 1024  # samples of the batch that are compared, decoded one by one or from a store


@dataclass(frozen=True)
class Pictured:
    """How pictures are made of the samples of a domain; see `picture_samples`.

    Attributes:
        reader: Decodes rows.
        scaling: For pictures: scaling from native unit to [0, 1].
        canvas: For pictures: how a sample is brought to the square canvas.
        thumbnail: The thumbnail function of the domain, or None.
        store: Store with decoded arrays, or None.
        encode: Features by which the hardest negatives are chosen; None compares thumbnails.
        sound: The function of the domain that makes a sample a wav file, for players; or None.
        caption: Column whose text stands under each picture, such as a transcript; or None.
    """

    reader: Reader
    scaling: Scaling | None
    canvas: Literal["stretch", "fit"] = "stretch"
    thumbnail: Thumbnail | None = None
    store: ArrayStore | None = None
    encode: Encode | None = None
    sound: Sound | None = None
    caption: str | None = None


@dataclass(frozen=True)
class _Tile:
    row: int
    sample: str
    picture: Picture
    text: str
    label: str = ""
    flag: str = ""
    likeness: str = ""
    drawn: bool = False
    caption: str = ""


@dataclass(frozen=True)
class _Strip:
    kind: Literal["positive", "negative", "ignored"]
    title: str
    tiles: tuple[_Tile, ...]
    note: str


@dataclass(frozen=True)
class _Card:
    anchor: _Tile
    facts: tuple[tuple[str, str], ...]
    matches: str
    strips: tuple[_Strip, ...]


def write_pair_sheet(
    path: str | Path,
    plan: PairPlan,
    report: PairsReport,
    pictured: Pictured,
    *,
    advice: Advice | None = None,
    domain: str = "",
    hidden: Collection[str] = (),
    anchors: int = 12,
) -> Path:
    """Write the page, also for pairs that can't be trained on.

    Args:
        path: The file.
        plan: The rule bound to the training rows, and the batches.
        report: Inspection of the pairs.
        pictured: How pictures are made of samples.
        advice: Advice on batch size and composition.
        domain: Name of the domain.
        hidden: Columns whose values must not be printed, beside identifiers and columns with many values.
        anchors: Number of anchors on the page.

    Returns:
        ``path``.

    Raises:
        ResourceError: When the disk is full.
        UsageError: When the page can't be written to its place; said before anything is decoded.
    """
    path = Path(path)
    require_target(path)
    choice = choose(
        plan.composed_by,
        plan.sampler,
        anchors=anchors,
        pool=_POOL if pictured.store is None else _STORED_POOL,
        positives=_POSITIVES,
    )
    pictures = picture_samples(
        plan.table,
        choice.pool,
        reader=pictured.reader,
        store=pictured.store,
        scaling=pictured.scaling,
        canvas=pictured.canvas,
        thumbnail=pictured.thumbnail,
        encode=pictured.encode,
    )
    text = _render(plan, report, choice, pictures, pictured, advice, domain, hidden)
    with write_errors(f"the sheet {str(path)!r}"):
        write_whole(path, lambda part: part.write_text(text, encoding="utf-8"))
    return path


def _render(
    plan: PairPlan,
    report: PairsReport,
    choice: Choice,
    pictures: SamplePictures,
    pictured: Pictured,
    advice: Advice | None,
    domain: str,
    hidden: Collection[str],
) -> str:
    columns = [name for name in plan.table.columns if name in plan.objective.columns]
    printed = columns if report.label is None else [*columns, report.label]
    coded = coded_columns(
        plan.table, printed, hidden={*hidden} - {report.label}, measured=measured_columns(plan.objective)
    )
    reasons = PairReasons(plan.objective, plan.composed_by, plan.table, coded)
    captions = captions_of(plan.table, pictured.caption)
    sheet = _Sheet(plan, report.label, columns, reasons, pictures, captions)
    cards = [sheet.card(anchor) for anchor in choice.anchors]
    environment = page_templates("ssl_domains.reports")
    return environment.get_template("pair_sheet.html.j2").render(
        domain=domain,
        headline=objective_words(plan.objective),
        rule=str(plan.objective),
        report=report,
        facts=sheet_facts(report),
        choice=choice,
        cards=cards,
        sounds=shown_sounds(plan.table, _rows(cards), pictured.reader, pictured.store, pictured.sound),
        compared_by=pictures.how,
        coded=sorted(coded),
        groups=[
            (facts, histogram("Groups by size", _occupied(facts.groups.histogram), "samples in a group"))
            for facts in report.relations
            if facts.groups is not None
        ],
        share_bar=share_bar,
        label_remark=LABEL_REMARK,
        few_groups=FEW_GROUPS,
        advice=advice,
    )


def _rows(cards: Sequence[_Card]) -> list[int]:
    """Positions of the samples of all tiles, in the order of the page."""
    tiles = [tile for card in cards for tile in (card.anchor, *(one for strip in card.strips for one in strip.tiles))]
    return [tile.row for tile in tiles if tile.picture.cause is None]


class _Sheet:
    """Makes the cards of the sheet: one for each anchor, with its positives, ignored samples and negatives."""

    def __init__(
        self,
        plan: PairPlan,
        label: str | None,
        columns: Sequence[str],
        reasons: PairReasons,
        pictures: SamplePictures,
        captions: Sequence[str],
    ) -> None:
        self._ids = plan.table.frame["sample"]
        self._label, self._columns, self._reasons, self._pictures = label, columns, reasons, pictures
        self._captions = captions

    def card(self, anchor: Anchor) -> _Card:
        shown = self._columns if self._label is None or self._label in self._columns else [*self._columns, self._label]
        values = self._reasons.values
        facts = tuple((name, values.text(name, anchor.sample)) for name in shown)
        return _Card(
            _Tile(
                anchor.sample,
                str(self._ids[anchor.sample]),
                self._picture(anchor.sample),
                "",
                caption=self._caption(anchor.sample),
            ),
            facts,
            "" if anchor.matches is None else f"matches {anchor.matches:,} of the table",
            tuple(strip for strip in (self._positive(anchor), self._ignored(anchor), self._negative(anchor)) if strip),
        )

    def _positive(self, anchor: Anchor) -> _Strip:
        shown = anchor.positives[:_POSITIVES]
        tiles = tuple(self._tile(anchor, other, drawn=other == anchor.partner) for other in shown)
        count = len(anchor.positives)
        note = "none in this batch: its positives are its own views alone" if not count else _of(len(shown), count)
        return _Strip("positive", "Positives", tiles, note)

    def _ignored(self, anchor: Anchor) -> _Strip | None:
        if not anchor.ignored:
            return None
        shown = self._most_alike(anchor.ignored, anchor.sample, _IGNORED)
        tiles = tuple(self._tile(anchor, other, likeness) for other, likeness in shown)
        return _Strip("ignored", "Ignored", tiles, _of(len(tiles), len(anchor.ignored)))

    def _negative(self, anchor: Anchor) -> _Strip:
        shown = self._most_alike(anchor.negatives, anchor.sample, _NEGATIVES)
        tiles = tuple(self._tile(anchor, other, likeness) for other, likeness in shown)
        hard = any(tile.likeness for tile in tiles)
        compared = sum(other in self._pictures.features for other in anchor.negatives)
        count = len(anchor.negatives)
        among = (
            f"the most similar of {count:,}" if compared == count else f"the most similar of {compared:,} of {count:,}"
        )
        note = among if hard else _of(len(tiles), count) if count else "none in this batch"
        return _Strip("negative", "Hardest negatives" if hard else "Negatives", tiles, note)

    def _most_alike(self, others: Sequence[int], anchor: int, count: int) -> Sequence[tuple[int, float | None]]:
        hard = hardest(others, anchor, self._pictures.features, count)
        if hard:
            return hard
        return [(other, None) for other in others if other in self._pictures.pictures][:count]

    def _tile(self, anchor: Anchor, other: int, likeness: float | None = None, *, drawn: bool = False) -> _Tile:
        state = self._reasons.state(anchor.sample, other)
        label, flag = self._against_label(anchor.sample, other, state)
        return _Tile(
            other,
            str(self._ids[other]),
            self._picture(other),
            state.text,
            label,
            flag,
            "" if likeness is None else f"{likeness:.2f}".replace("-", "−"),
            drawn,
            self._caption(other),
        )

    def _against_label(self, anchor: int, other: int, state: PairState) -> tuple[str, str]:
        """(label as text, flag): the flag is ``false negative``, ``other label`` or empty."""
        values = self._reasons.values
        if self._label is None:
            return "", ""
        text = f"{self._label} {values.text(self._label, other)}"
        if values.missing(self._label, anchor) or values.missing(self._label, other):
            return text, ""
        equal = values.text(self._label, anchor) == values.text(self._label, other)
        if state.state == "negative" and equal:
            return text, "false negative"
        return text, "other label" if state.state == "positive" and not equal else ""

    def _caption(self, row: int) -> str:
        return self._captions[row] if self._captions else ""

    def _picture(self, row: int) -> Picture:
        return self._pictures.pictures.get(row, Picture(cause="not decoded: too large to look at many"))


def _of(shown: int, count: int) -> str:
    if shown == count:
        return "the only one in this batch" if count == 1 else f"all {count:,} in this batch"
    return f"{shown} of {count:,} in this batch"


def _occupied(counts: dict[str, int]) -> list[tuple[str, int]]:
    """The counts from the first non-zero one on."""
    items = list(counts.items())
    first = next((place for place, (_, count) in enumerate(items) if count), len(items))
    return items[first:]
