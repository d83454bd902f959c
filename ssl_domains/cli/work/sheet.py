"""Write the pair sheet of the command ``pairs``: collect reader, scaling, store and encoder for its pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ssl_domains.cli.work.viewing import scaling_of
from ssl_domains.errors import DataError
from ssl_domains.extending import Domain

if TYPE_CHECKING:
    from ssl_domains.engine.loop.pair_plan import PairPlan
    from ssl_domains.engine.record.config import RunConfig
    from ssl_domains.pairs import PairsReport
    from ssl_domains.pairs.inspection.advice import Advice
    from ssl_domains.reports.sample_pictures import Encode
    from ssl_domains.samples import Reader
    from ssl_domains.stores import ArrayStore

__all__ = ["encoder_of", "write_sheet"]


def write_sheet(
    path: Path,
    domain: Domain,
    config: RunConfig,
    plan: PairPlan,
    report: PairsReport,
    advice: Advice | None,
    *,
    samples: Path,
    encode: Encode | None,
    anchors: int,
) -> Path:
    """Write the page. Arrays come from the store of the table; without a store, shown samples are decoded.

    Args:
        path: File to write.
        domain: Domain with reader, scaling, thumbnail and sound.
        config: Configuration; ``data.store`` and ``views.canvas`` are used.
        plan: The pairs.
        report: Inspection of the pairs.
        advice: Advice on batch size and composition.
        samples: File of the sample table; its store is beside it.
        encode: Computes features to compare samples; None compares their thumbnails.
        anchors: Number of anchors on the page.
    """
    from ssl_domains.reports.pair_sheet import Pictured, write_pair_sheet

    pictured = Pictured(
        domain.reader(),
        scaling_of(domain, plan.table),
        config.views.square[1],
        domain.thumbnail,
        _store(config, samples, domain.reader()),
        encode,
        domain.sound,
        domain.caption,
    )
    # The group column of a domain may name people or recordings, so its values are not printed.
    hidden = () if domain.group is None else (domain.group,)
    return write_pair_sheet(
        path, plan, report, pictured, advice=advice, domain=domain.name, hidden=hidden, anchors=anchors
    )


def _store(config: RunConfig, samples: Path, reader: Reader) -> ArrayStore | None:
    from ssl_domains.stores import ArrayStore, default_store

    try:
        return ArrayStore.open(config.data.store or default_store(samples), reader)
    except DataError:
        return None


def encoder_of(folder: Path) -> Encode:
    """A function that computes features with the encoder of a run.

    Raises:
        UsageError: When there is no such run.
        DataError: When the run can't be read.
    """
    from ssl_domains.engine.record.run import Run
    from ssl_domains.evaluation.embed import embed_rows

    run = Run.open(folder)
    encoder = run.encoder()
    return lambda table, store: embed_rows(
        encoder, run.preprocess, table, store, device=run.config.train.device, crop=run.crop
    )
